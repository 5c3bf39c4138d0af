import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { encodeTarHeader, TAR_END_BYTES } from '../../src/archive/tar-header.ts';
import { readTarEntries } from '../../src/archive/unpack-tar.ts';
import { fixChecksum } from '../support/fuzz-headers.ts';

const SIZE_BYTES = 35;
const SIZE_FIELD = 124;
const OPTIONS = {
  name: 'c.tgz',
  limits: { maxEntries: 10, maxTotalBytes: 10_000 },
  truncatedCode: 'DT_WRAP_TRUNCATED',
  invalidCode: 'DT_WRAP_INVALID',
} as const;

/** A tar with a folder whose header has a size, these bytes behind that header, and a file. */
function makeTar(...behind: readonly Uint8Array[]): Buffer {
  const common = { mode: 0o755, sizeBytes: 0, mtimeSeconds: 0 };
  const folder = encodeTarHeader({ path: 'c/folder', type: 'directory', ...common });
  folder.write(`${SIZE_BYTES.toString(8).padStart(11, '0')} `, SIZE_FIELD, 'ascii');
  fixChecksum(folder, 0);
  const file = encodeTarHeader({ path: 'c/file', type: 'file', ...common });
  return Buffer.concat([folder, ...behind, file, Buffer.alloc(TAR_END_BYTES)]);
}

/** Every entry, and how many bytes it has. */
async function listEntries(tar: Buffer): Promise<string[]> {
  const found: string[] = [];
  await readTarEntries(Readable.from([tar]), OPTIONS, async ({ path, type }, content) => {
    found.push(`${type} ${path} ${String((await buffer(content)).length)}`);
  });
  return found;
}

test('a folder whose header has a size has no content, and nobody waits for it', { timeout: 10_000 }, async () => {
  assert.deepEqual(await listEntries(makeTar()), ['directory c/folder 0', 'file c/file 0']);
});

test('bytes behind such a folder are read as the next header, and refused', { timeout: 10_000 }, async () => {
  await assert.rejects(listEntries(makeTar(Buffer.alloc(512, 'x'))), { code: 'DT_WRAP_INVALID' });
});
