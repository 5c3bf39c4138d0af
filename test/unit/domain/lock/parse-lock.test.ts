import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOCK_GENERATED_BY } from '../../../../src/domain/lock/images-lock.ts';
import { parseImagesLock } from '../../../../src/domain/lock/parse-lock.ts';
import { readGoldenText } from './golden-files.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test('unknown fields are ignored and a missing generatedBy gets its default', () => {
  const path = 'defects/lock-fields-lost/input/c/Images.lock';
  assert.deepEqual(parseImagesLock(readGoldenText(path), path), {
    metadata: { extra: 'y', generatedAt: '2024-01-01T00:00:00Z', generatedBy: LOCK_GENERATED_BY },
    chart: { name: 'c', version: '1.0.0', appVersion: '' },
    images: [{ name: 'a', image: 'a/image:1', chart: 'c', digests: [] }],
  });
});

test('numbers stay as they are written', () => {
  const lock = parseImagesLock('chart: {name: c, version: 1.10, appVersion: 1_0}\nimages:\n', 'x');
  assert.deepEqual(lock.chart, { name: 'c', version: '1.10', appVersion: '1_0' });
  assert.deepEqual(lock.images, []);
});

for (const empty of ['', '[]', '~', 'null']) {
  test(`images: ${empty} is an empty list`, () => {
    assert.deepEqual(
      parseImagesLock(`chart: {}\nmetadata: ${empty === '[]' ? '' : empty}\nimages: ${empty}\n`, 'x').images,
      [],
    );
  });
}

const imageWith = (digests: string): string =>
  `images:\n- name: a\n  image: a/b:1\n  chart: c\n  digests: ${digests}\n`;

const BAD_LOCKS: Readonly<Record<string, string>> = {
  'broken YAML': readGoldenText('dt-verify/broken-yaml/input/c/Images.lock'),
  'nothing at all': '',
  'a list': '- a',
  'images that are a map': 'images: {a: 1}',
  'an image that is a text': 'images: [a]',
  'an image without reference': 'images:\n- name: a\n',
  'a reference that is a URL': 'images:\n- image: oci://a/b\n',
  'a name that is a map': 'images:\n- image: a/b\n  name: {}\n',
  'a digest that is none': imageWith(`[{digest: "sha256:abc", arch: linux/amd64}]`),
  'a missing digest': imageWith('[{arch: linux/amd64}]'),
  'an arch that is none': imageWith(`[{digest: "${DIGEST}", arch: linux}]`),
  'an index digest that is none': `images:\n- image: a/b\n  indexDigest: ../../x\n`,
};
for (const [what, text] of Object.entries(BAD_LOCKS)) {
  test(`a lock with ${what} is refused`, () => {
    assert.throws(() => parseImagesLock(text, 'Images.lock'), { code: 'DT_LOCK_INVALID' });
  });
}

test('an alias bomb is refused', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level += 1) {
    lines.push(
      `a${String(level)}: &a${String(level)} [${Array(10)
        .fill(`*a${String(level - 1)}`)
        .join(', ')}]`,
    );
  }
  lines.push('images: *a8');
  assert.throws(() => parseImagesLock(lines.join('\n'), 'x'), { code: 'DT_LOCK_INVALID' });
});
