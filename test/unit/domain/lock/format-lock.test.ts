import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatImagesLock } from '../../../../src/domain/lock/format-lock.ts';
import { formatLockTime, type ImagesLock } from '../../../../src/domain/lock/images-lock.ts';
import { parseImagesLock } from '../../../../src/domain/lock/parse-lock.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { listGoldenFiles, readGoldenText } from './golden-files.ts';

// Inputs that were written by hand are not in the form of the Go tool.
const HAND_WRITTEN =
  /broken-yaml|overwrites-existing\/input|lock-fields-lost\/input|input\/.*kbld|dt-info\/chart-folder\/input/;

const goldenLocks = listGoldenFiles(/(?:Images|my|elsewhere)\.lock$/).filter((path) => !HAND_WRITTEN.test(path));

test('there are golden locks', () => {
  assert.ok(goldenLocks.length > 40, String(goldenLocks.length));
});

for (const path of goldenLocks) {
  test(`${path} is written as it was read`, () => {
    const text = readGoldenText(path);
    assert.equal(formatImagesLock(parseImagesLock(text, path)), text);
  });
}

const LOCK: ImagesLock = {
  metadata: { generatedBy: 'x', generatedAt: '2024-01-01T00:00:00Z' },
  chart: { name: 'c', version: '1.0.0', appVersion: '' },
  images: [],
};

test('metadata is sorted and an empty list is written as such', () => {
  assert.equal(
    formatImagesLock(LOCK),
    'apiVersion: v0\nkind: ImagesLock\nmetadata:\n  generatedAt: "2024-01-01T00:00:00Z"\n  generatedBy: x\n' +
      'chart:\n  name: c\n  version: 1.0.0\n  appVersion: ""\nimages: []\n',
  );
});

test('optional fields are written where they are set, and survive', () => {
  const digest = digestOf('a');
  const images = [
    {
      name: 'a',
      image: 'a/b:1',
      chart: 'c',
      digests: [{ digest, arch: 'linux/arm', variant: 'v7' }],
      indexDigest: digestOf('b'),
      targetIndexDigest: digestOf('c'),
    },
  ];
  const text = formatImagesLock({ ...LOCK, images });
  assert.match(
    text,
    /\n {8}arch: linux\/arm\n {8}variant: v7\n {4}indexDigest: sha256:[0-9a-f]+\n {4}targetIndexDigest: sha256/,
  );
  assert.deepEqual(parseImagesLock(text, 'x').images, images);
});

test('long texts are not folded', () => {
  const appVersion = 'word '.repeat(100).trim();
  assert.match(
    formatImagesLock({ ...LOCK, chart: { ...LOCK.chart, appVersion } }),
    new RegExp(`appVersion: ${appVersion}\n`),
  );
});

const TIMES: readonly (readonly [string, string])[] = [
  ['2026-11-21T01:58:14.258Z', '2026-11-21T01:58:14.258Z'],
  ['2026-11-21T01:58:14.250Z', '2026-11-21T01:58:14.25Z'],
  ['2026-11-21T01:58:14.200Z', '2026-11-21T01:58:14.2Z'],
  ['2026-11-21T01:58:10.000Z', '2026-11-21T01:58:10Z'],
  ['2026-11-21T01:58:14.005Z', '2026-11-21T01:58:14.005Z'],
];
for (const [input, expected] of TIMES) {
  test(`the time ${input} is written as ${expected}`, () => {
    assert.equal(formatLockTime(new Date(input)), expected);
  });
}
