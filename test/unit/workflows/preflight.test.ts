import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DtError } from '../../../src/domain/errors.ts';
import { readAllocatedBytes } from '../../../src/files/output-place.ts';
import { requireFreeSpace } from '../../../src/workflows/preflight.ts';

const PARTIAL_BYTES = 1024 * 1024;

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-preflight-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a file that does not fit is refused with the figures', async (t) => {
  const output = join(await makeFolder(t), 'w.tgz');
  await requireFreeSpace(output, 1000, () => Promise.resolve(1000));
  await requireFreeSpace(output, 1000, () => Promise.resolve(undefined));
  await assert.rejects(
    requireFreeSpace(output, 1001, () => Promise.resolve(1000)),
    (error) => error instanceof DtError && error.code === 'DT_DISK_FULL' && /1001.*1\.0 kB/.test(error.detail ?? ''),
  );
});

test('what the partial file takes is not needed again, its holes are', async (t) => {
  const output = join(await makeFolder(t), 'w.tgz');
  await writeFile(`${output}.partial`, Buffer.alloc(PARTIAL_BYTES, 1));
  const allocated = await readAllocatedBytes(`${output}.partial`);
  assert.ok(allocated >= PARTIAL_BYTES);
  const free = (): Promise<number> => Promise.resolve(1000);
  await requireFreeSpace(output, allocated + 1000, free);
  await assert.rejects(requireFreeSpace(output, allocated + 1001, free), { code: 'DT_DISK_FULL' });
  const handle = await open(`${output}.partial`, 'r+');
  await handle.truncate(100 * PARTIAL_BYTES);
  await handle.close();
  await assert.rejects(requireFreeSpace(output, 100 * PARTIAL_BYTES, free), { code: 'DT_DISK_FULL' });
});
