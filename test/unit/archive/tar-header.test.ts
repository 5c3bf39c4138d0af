import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { pack } from 'tar-stream';
import {
  decodeTarHeader,
  encodeTarHeader,
  TAR_BLOCK_BYTES,
  tarPaddingBytes,
  type NewTarEntry,
} from '../../../src/archive/tar-header.ts';

const ENTRY: NewTarEntry = {
  path: 'c/Chart.yaml',
  type: 'file',
  mode: 0o644,
  sizeBytes: 5,
  mtimeSeconds: 1_700_000_000,
};

const ENTRIES: Readonly<Record<string, NewTarEntry>> = {
  'a file': ENTRY,
  'an empty file': { ...ENTRY, sizeBytes: 0 },
  'a large file': { ...ENTRY, sizeBytes: 30 * 1024 ** 3 },
  'a mode of zero': { ...ENTRY, mode: 0 },
  'a folder': { ...ENTRY, path: 'c/templates', type: 'directory', sizeBytes: 0, mode: 0o755 },
  'a hard link': { ...ENTRY, path: 'c/b', type: 'link', sizeBytes: 0, linkTarget: 'c/a' },
  'a path of 100 bytes': { ...ENTRY, path: 'a'.repeat(100) },
  'a path that is split': { ...ENTRY, path: `${'d/'.repeat(70)}f` },
  'a path of 300 bytes': { ...ENTRY, path: 'a'.repeat(300) },
  'a path with other letters': { ...ENTRY, path: 'c/größe-日本' },
  'a long link target': { ...ENTRY, type: 'link', sizeBytes: 0, linkTarget: `c/${'b'.repeat(200)}` },
  'the time zero': { ...ENTRY, mtimeSeconds: 0 },
};
for (const [what, entry] of Object.entries(ENTRIES)) {
  test(`${what} is read as it was written`, () => {
    const bytes = encodeTarHeader(entry);
    const { headerBytes, linkTarget, ...header } =
      decodeTarHeader(Buffer.concat([bytes, Buffer.alloc(2000, 'x')])) ?? {};
    const { linkTarget: expectedTarget = '', ...expected } = entry;
    assert.deepEqual(header, expected);
    assert.equal(linkTarget, expectedTarget);
    assert.equal(headerBytes, bytes.length);
    assert.equal(bytes.length % TAR_BLOCK_BYTES, 0);
  });
}

test('a plain header has one block, a long path needs three', () => {
  assert.equal(encodeTarHeader(ENTRY).length, 512);
  assert.equal(encodeTarHeader({ ...ENTRY, path: 'a'.repeat(300) }).length, 1536);
});

test('the bytes are those of the stream of the library', async () => {
  const packer = pack();
  packer.entry({ name: 'größe', mode: 0o600, mtime: new Date(5000), type: 'file' }, 'hello');
  packer.finalize();
  const archive = await buffer(packer);
  const header = encodeTarHeader({ path: 'größe', type: 'file', mode: 0o600, sizeBytes: 5, mtimeSeconds: 5 });
  assert.deepEqual(archive.subarray(0, header.length), header);
  assert.equal(archive.toString('utf8', header.length, header.length + 5), 'hello');
});

test('a time that does not fit becomes the last one that does', () => {
  assert.equal(decodeTarHeader(encodeTarHeader({ ...ENTRY, mtimeSeconds: 2 ** 40 }))?.mtimeSeconds, 2 ** 31 - 1);
});

test('an empty block is the end', () => {
  assert.equal(decodeTarHeader(Buffer.alloc(512)), undefined);
});

test('damaged and cut headers are refused', () => {
  const header = encodeTarHeader(ENTRY);
  const damaged = Buffer.from(header);
  damaged[0] = 0x7a;
  const long = encodeTarHeader({ ...ENTRY, path: 'a'.repeat(300) });
  const negative = Buffer.from(header);
  negative.write('-0000000001', 124);
  for (const bytes of [
    damaged,
    header.subarray(0, 511),
    long.subarray(0, 1024),
    Buffer.alloc(0),
    Buffer.alloc(512, 'x'),
    negative,
  ]) {
    assert.throws(() => decodeTarHeader(bytes), { code: 'DT_WRAP_INVALID' });
  }
});

for (const [size, padding] of [
  [0, 0],
  [1, 511],
  [511, 1],
  [512, 0],
  [513, 511],
  [10 * 1024 ** 3 + 1, 511],
] as const) {
  test(`${String(size)} bytes are followed by ${String(padding)}`, () => {
    assert.equal(tarPaddingBytes(size), padding);
  });
}
