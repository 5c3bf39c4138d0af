import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readChartFolder } from '../../../src/archive/chart-folder.ts';
import { findChartFile, MAX_CHART_BYTES } from '../../../src/domain/chart/chart-tree.ts';

let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dt-test-'));
  await writeFile(join(root, 'Chart.yaml'), 'name: c\nversion: 1.0.0\n');
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const listed = async (folder = root): Promise<string[]> =>
  (await readChartFolder(folder)).map(
    ({ path, type, mode }) => `${type === 'file' ? '-' : 'd'}${mode.toString(8)} ${path}`,
  );

test('hidden files, empty folders, ignored files and modes are kept', async () => {
  await mkdir(join(root, 'empty'));
  await chmod(join(root, 'empty'), 0o700);
  await writeFile(join(root, '.helmignore'), '*.txt');
  await writeFile(join(root, 'a.txt'), '');
  await chmod(join(root, 'a.txt'), 0o755);
  for (const path of ['.helmignore', 'Chart.yaml']) await chmod(join(root, path), 0o600);
  assert.deepEqual(await listed(), ['-600 .helmignore', '-600 Chart.yaml', '-755 a.txt', 'd700 empty']);
});

test('links inside the chart are replaced by what they point to', async () => {
  await mkdir(join(root, 'shared/deep'), { recursive: true });
  await writeFile(join(root, 'shared/deep/x'), 'content');
  await symlink('shared/deep/x', join(root, 'file'));
  await symlink(join(root, 'shared'), join(root, 'folder'));
  await symlink('folder', join(root, 'hop'));
  const tree = await readChartFolder(root);
  for (const path of ['file', 'folder/deep/x', 'hop/deep/x']) {
    assert.equal(String(findChartFile(tree, path)?.bytes), 'content', path);
  }
});

test('files that several paths lead to say so, and others do not', async () => {
  await mkdir(join(root, 'shared/deep'), { recursive: true });
  await writeFile(join(root, 'shared/deep/x'), 'content');
  await symlink('shared/deep', join(root, 'folder'));
  const shared = (await readChartFolder(root)).flatMap(({ path, sharedFile }) =>
    sharedFile === undefined ? [] : [`${path} ${sharedFile}`],
  );
  assert.deepEqual(shared, ['folder/x shared/deep/x', 'shared/deep/x shared/deep/x']);
});

test('the chart folder itself may be a link', async () => {
  const link = `${root}-link`;
  await symlink(root, link);
  try {
    assert.equal((await readChartFolder(link)).length, 1);
  } finally {
    await rm(link);
  }
});

test('a broken link is an error of the chart', async () => {
  await symlink('nowhere', join(root, 'link'));
  await assert.rejects(readChartFolder(root), { code: 'DT_CHART_INVALID' });
});

test('no folder, and no such folder', async () => {
  await assert.rejects(readChartFolder(join(root, 'absent')), { code: 'DT_FILE_NOT_FOUND' });
  await assert.rejects(readChartFolder(join(root, 'Chart.yaml')), { code: 'DT_CHART_INVALID' });
});

test('a folder that is too large is refused before it is read', async () => {
  await writeFile(join(root, 'large'), '');
  await truncate(join(root, 'large'), MAX_CHART_BYTES);
  await assert.rejects(readChartFolder(root), { code: 'DT_CHART_TOO_LARGE' });
});
