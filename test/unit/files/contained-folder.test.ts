import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ContainedFolder } from '../../../src/files/contained-folder.ts';

let root = '';
let folder: ContainedFolder;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dt-test-'));
  await mkdir(join(root, 'in/sub'), { recursive: true });
  await mkdir(join(root, 'in-secret'));
  await writeFile(join(root, 'in/sub/file'), 'x');
  folder = (await ContainedFolder.open(join(root, 'in'))) as ContainedFolder;
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

for (const target of ['..', '../in-secret', '/', '../in/../in-secret', 'sub/../..']) {
  test(`a link to ${target} is refused for reading, listing and writing`, async () => {
    await symlink(target, join(root, 'in/link'));
    for (const use of [
      async () => folder.openFile('link'),
      async () => folder.listNames('link'),
      async () => folder.makeFolder('link/new'),
    ]) {
      await assert.rejects(use, { code: 'DT_UNSAFE_ENTRY' });
    }
    assert.deepEqual(await readdir(join(root, 'in-secret')), []);
  });
}

test('a link within the folder, and a folder that is given by a link, are followed', async () => {
  await symlink('sub', join(root, 'in/link'));
  await symlink('in', join(root, 'given'));
  const given = await ContainedFolder.open(join(root, 'given'));
  assert.deepEqual(await given?.listNames('link'), ['file']);
  await (await given?.openFile('link/file'))?.close();
  await given?.makeFolder('link/new/deep');
  assert.deepEqual(await folder.listNames('sub/new'), ['deep']);
});

test('what is not there is undefined or empty, and what is no file is refused', async () => {
  assert.equal(await ContainedFolder.open(join(root, 'absent')), undefined);
  assert.equal(await folder.openFile('absent'), undefined);
  assert.equal(await folder.openFile('sub/file/below'), undefined);
  assert.deepEqual(await folder.listNames('absent'), []);
  await assert.rejects(folder.openFile('sub'), { code: 'DT_UNSAFE_ENTRY' });
  await symlink('absent', join(root, 'in/broken'));
  await assert.rejects(folder.makeFolder('broken/new'), { code: 'DT_UNSAFE_ENTRY' });
  await symlink('circle', join(root, 'in/circle'));
  await assert.rejects(folder.openFile('circle'), { code: 'DT_UNSAFE_ENTRY' });
});
