import assert from 'node:assert/strict';
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders } from '../../../src/files/make-folders.ts';
import { createSandbox } from '../../support/sandbox.ts';

test('makes what is missing, and leaves what is there', async (t) => {
  const { work } = await createSandbox(t);
  const folder = join(work, 'a/b/c');
  await makeFolders(folder, 0o700);
  await makeFolders(folder);
  assert.equal((await stat(join(work, 'a'))).mode & 0o777, 0o700);
  await mkdir(join(work, 'real'));
  await symlink('real', join(work, 'link'));
  await makeFolders(join(work, 'link/below'));
  assert.ok((await stat(join(work, 'real/below'))).isDirectory());
  await makeFolders('/');
});

test('fails where no folder can be', { timeout: 5000 }, async (t) => {
  const { work } = await createSandbox(t);
  await writeFile(join(work, 'file'), '');
  await symlink('absent', join(work, 'dangling'));
  await assert.rejects(makeFolders(join(work, 'file')), { code: 'EEXIST' });
  await assert.rejects(makeFolders(join(work, 'file/x/y')), { code: 'ENOTDIR' });
  await assert.rejects(makeFolders(join(work, 'dangling')), { code: 'EEXIST' });
  // mkdir of Node.js would not come back from this one.
  if (process.platform === 'linux') await assert.rejects(makeFolders('/proc/x/y'), { code: 'ENOENT' });
});
