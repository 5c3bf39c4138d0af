import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { BaseContent } from '../../../../src/domain/wrap/base-content.ts';
import { parseWrapDocument } from '../../../../src/domain/wrap/parse-wrap-document.ts';
import { formatWrapDocument, listOmitted, type WrapDocument } from '../../../../src/domain/wrap/wrap-document.ts';
import { MAX_BASE_PLACES, MAX_BASES } from '../../../../src/domain/wrap/wrap-limits.ts';

const BLOB = { digest: digestOf('x'), size: 70_000, mediaType: 'application/octet-stream' };
const BASE = { sources: ['docker.io/library/nginx', 'r.example:5000/a/b'], targets: ['mirror/x'] };
const DELTA: WrapDocument = {
  formatVersion: 1,
  kind: 'chart',
  charts: [],
  images: [],
  blobs: [
    { ...BLOB, base: BASE },
    { ...BLOB, digest: digestOf('y'), path: 'x-1/images/y' },
  ],
  bases: [
    { kind: 'wrap', name: "it's v1.wrap.tgz" },
    { kind: 'inventory', name: 'i.json' },
  ],
};

test('the bases of a delta are read as they were written', () => {
  const parsed = parseWrapDocument(formatWrapDocument(DELTA));
  assert.deepEqual(parsed, DELTA);
  assert.deepEqual(
    listOmitted(parsed).map(({ digest }) => digest),
    [BLOB.digest],
  );
});

test('a blob that has an entry is not left out, whatever a base has', () => {
  assert.deepEqual(listOmitted({ blobs: [{ ...BLOB, path: 'x', base: BASE }, BLOB] }), []);
});

for (const [what, base] of [
  ['a source with a tag', { ...BASE, sources: ['r.example/a:1'] }],
  ['a source without its registry', { ...BASE, sources: ['nginx'] }],
  ['a source that is none', { ...BASE, sources: ['r.example/../a'] }],
  ['a target that is none', { ...BASE, targets: ['../a'] }],
  ['a target with a registry and a port', { ...BASE, targets: ['r.example:5000/a'] }],
  ['no list of targets', { sources: [] }],
  ['a base that is no object', 'x'],
] as const) {
  test(`a blob with ${what} is refused`, () => {
    const bytes = Buffer.from(JSON.stringify({ ...DELTA, blobs: [{ ...BLOB, base }] }));
    assert.throws(() => parseWrapDocument(bytes), { code: 'DT_WRAP_INVALID' });
  });
}

for (const [what, base] of [
  ['of another kind', { kind: 'other', name: 'x' }],
  ['without a name', { kind: 'wrap', name: '' }],
  ['with a path', { kind: 'wrap', name: '../x' }],
  ['with a control character in its name', { kind: 'wrap', name: 'a\u001b[2J' }],
] as const) {
  test(`a base ${what} is refused`, () => {
    const bytes = Buffer.from(JSON.stringify({ ...DELTA, bases: [base] }));
    assert.throws(() => parseWrapDocument(bytes), { code: 'DT_WRAP_INVALID' });
  });
}

test('more bases and places than anybody needs are refused', () => {
  const many = { ...BASE, targets: new Array(MAX_BASE_PLACES + 1).fill('x') };
  for (const document of [
    { ...DELTA, blobs: [{ ...BLOB, base: many }] },
    { ...DELTA, bases: new Array(MAX_BASES + 1).fill({ kind: 'wrap', name: 'x' }) },
  ]) {
    assert.throws(() => parseWrapDocument(Buffer.from(JSON.stringify(document))), { code: 'DT_LIMIT_EXCEEDED' });
  }
});

test('a base has a blob of the same size only, and names as many repositories as a wrap may', () => {
  const content = new BaseContent([]);
  for (let index = 30; index >= 10; index--) content.add(BLOB, 'targets', `r/${String(index)}`);
  content.add(BLOB, 'sources', 'r.example/a');
  content.add(BLOB, 'sources', 'r.example/a');
  assert.equal(content.find({ ...BLOB, size: 1 }), undefined);
  assert.equal(content.find({ ...BLOB, digest: digestOf('y') }), undefined);
  const places = content.find(BLOB);
  assert.deepEqual(places?.sources, ['r.example/a']);
  assert.equal(places.targets.length, MAX_BASE_PLACES);
  assert.deepEqual(places.targets.slice(0, 2), ['r/10', 'r/11']);
});
