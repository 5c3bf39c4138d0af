import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readSmallFile } from '../../../src/transport/read-small-file.ts';

const REFUSED = { code: 'DT_CONFIG_INVALID' } as const;

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-small-'));
});
after(async () => rm(folder, { recursive: true, force: true }));

test('reads up to the limit, also behind a link', async () => {
  await writeFile(join(folder, 'file'), '12345');
  await symlink('file', join(folder, 'link'));
  assert.equal(readSmallFile(join(folder, 'link'), 5), '12345');
  assert.throws(() => readSmallFile(join(folder, 'link'), 4), REFUSED);
});

test('a file of which the system tells no size is bounded too', () => {
  assert.ok(readSmallFile('/proc/self/status', 64 * 1024).length > 0);
  assert.throws(() => readSmallFile('/proc/self/status', 10), REFUSED);
});

test('a FIFO without a writer is refused instead of waited for', async () => {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  await symlink('fifo', join(folder, 'fifo-link'));
  for (const each of [path, join(folder, 'fifo-link')]) assert.throws(() => readSmallFile(each, 10), REFUSED);
});

test('a device and a folder are refused; what is not there is an error of the system', () => {
  for (const path of ['/dev/zero', folder]) assert.throws(() => readSmallFile(path, 10), REFUSED, path);
  assert.throws(() => readSmallFile(join(folder, 'absent'), 10), { code: 'ENOENT' });
});
