import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachedTag } from '../../../../src/domain/oci/attached-artifact.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { parseWrapDocument } from '../../../../src/domain/wrap/parse-wrap-document.ts';
import { formatWrapDocument, wrapFolder, type WrapDocument } from '../../../../src/domain/wrap/wrap-document.ts';

const DOCUMENT: WrapDocument = {
  formatVersion: 1,
  kind: 'chart',
  charts: [
    { name: 'demo', version: '1.2.3', appVersion: '', path: 'demo-1.2.3/chart' },
    {
      name: 'other',
      version: '1.0.0',
      appVersion: '1',
      path: 'other-1.0.0/chart',
      archive: digestOf('archive'),
      provenance: digestOf('provenance'),
      manifest: digestOf('manifest'),
      config: digestOf('config'),
      attached: [{ subject: digestOf('manifest'), digest: digestOf('signature') }],
    },
  ],
  images: [
    {
      chart: 'demo',
      name: 'app "ü"',
      reference: 'nginx:1',
      digest: digestOf('index'),
      isFiltered: true,
      platforms: [{ digest: digestOf('a'), platform: 'linux/arm/v7' }],
      attached: [
        { subject: digestOf('index'), digest: digestOf('s'), tag: attachedTag(digestOf('index'), 'sig') },
        { subject: digestOf('s'), digest: digestOf('t') },
      ],
      folder: 'demo-1.2.3',
    },
    { chart: 'demo', name: 'light', reference: 'nginx:2', platforms: [] },
  ],
  blobs: [
    { digest: digestOf('a'), size: 0, mediaType: 'x/y', path: 'demo-1.2.3/images/x' },
    { digest: digestOf('b'), size: Number.MAX_SAFE_INTEGER, mediaType: '' },
  ],
};

test('what is written is read', () => {
  assert.deepEqual(parseWrapDocument(formatWrapDocument(DOCUMENT)), DOCUMENT);
  assert.equal(wrapFolder({ name: 'demo', version: '1.2.3' }), 'demo-1.2.3');
});

test('unknown fields are left out, `isFiltered: false` too', () => {
  const more = JSON.parse(formatWrapDocument(DOCUMENT).toString()) as Record<string, unknown> & {
    images: Record<string, unknown>[];
  };
  more['future'] = { a: 1 };
  for (const image of more.images) image['isFiltered'] = false;
  const parsed = parseWrapDocument(Buffer.from(JSON.stringify(more)));
  assert.ok(!('future' in parsed));
  assert.ok(parsed.images.every((image) => !('isFiltered' in image)));
});

for (const [name, change] of Object.entries({
  'a later version': { formatVersion: 2 },
  'version zero': { formatVersion: 0 },
  'a version as text': { formatVersion: '1' },
  'no version': { formatVersion: undefined },
  'another kind': { kind: 'bundle' },
  'no kind': { kind: undefined },
})) {
  test(`${name} is not supported`, () => {
    assert.throws(() => parseWrapDocument(Buffer.from(JSON.stringify({ ...DOCUMENT, ...change }))), {
      code: 'DT_WRAP_UNSUPPORTED',
    });
  });
}

/** Every place in the document, with what may not stand there. */
const PLACES: readonly (readonly [path: readonly (string | number)[], bad: readonly unknown[]])[] = [
  [['charts'], [undefined, null, {}, 'x', [null], [5], [[]]]],
  [['images'], [undefined, null, {}, 'x', [null], [5], [[]]]],
  [['blobs'], [undefined, null, {}, 'x', [null], [5], [[]]]],
  ...['name', 'version', 'appVersion', 'path'].map(
    (field) =>
      [
        ['charts', 0, field],
        [undefined, null, 5, [], {}],
      ] as const,
  ),
  ...['chart', 'name', 'reference'].map(
    (field) =>
      [
        ['images', 0, field],
        [undefined, null, 5, [], {}],
      ] as const,
  ),
  [
    ['images', 0, 'digest'],
    [null, 5, '', 'sha256:x', 'x'.repeat(71)],
  ],
  [
    ['images', 0, 'platforms'],
    [undefined, null, {}, 'x', [null]],
  ],
  [
    ['images', 0, 'platforms', 0, 'digest'],
    [undefined, null, 'x'],
  ],
  [
    ['images', 0, 'platforms', 0, 'platform'],
    [undefined, null, 5],
  ],
  [
    ['blobs', 0, 'digest'],
    [undefined, null, 5, 'sha256:../../x'],
  ],
  [
    ['blobs', 0, 'size'],
    [undefined, null, '4', -1, 1.5, 2 ** 60],
  ],
  [
    ['blobs', 0, 'mediaType'],
    [undefined, null, 5],
  ],
  [
    ['blobs', 0, 'path'],
    [null, 5, []],
  ],
];

for (const [path, values] of PLACES) {
  for (const value of values) {
    test(`${path.join('.')} = ${value === undefined ? 'undefined' : JSON.stringify(value)} is refused`, () => {
      const document = JSON.parse(formatWrapDocument(DOCUMENT).toString()) as Record<string | number, unknown>;
      let place = document;
      for (const part of path.slice(0, -1)) place = place[part] as Record<string | number, unknown>;
      place[path.at(-1) ?? ''] = value;
      assert.throws(() => parseWrapDocument(Buffer.from(JSON.stringify(document))), { code: 'DT_WRAP_INVALID' });
    });
  }
}

for (const text of ['', '{', 'null', '[]', '5', '"x"', '\xff', '['.repeat(100_000)]) {
  test(`the text ${JSON.stringify(text.slice(0, 10))} is refused`, () => {
    assert.throws(() => parseWrapDocument(Buffer.from(text, 'latin1')), { code: 'DT_WRAP_INVALID' });
  });
}

test('an attached artifact cannot take the tag of an image', () => {
  for (const tag of ['latest', '1.2.3', attachedTag(digestOf('other'), 'sig'), 'a b-metadata', 5]) {
    const attached = [{ subject: digestOf('index'), digest: digestOf('s'), tag }];
    const document = { ...DOCUMENT, images: [{ ...DOCUMENT.images[0], attached }] };
    assert.throws(
      () => parseWrapDocument(Buffer.from(JSON.stringify(document))),
      { code: 'DT_WRAP_INVALID' },
      String(tag),
    );
  }
});
