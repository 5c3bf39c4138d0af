import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { makeRenderFolder, removeLeftRenderFolders } from '../../../src/helm/render-folder.ts';

const MODULE = new URL('../../../src/helm/render-folder.ts', import.meta.url).href;
const HOLDER = `import { makeRenderFolder } from ${JSON.stringify(MODULE)}; console.log(await makeRenderFolder()); setInterval(() => {}, 1e6);`;

let root = '';
let folder = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'dt-test-'));
});
after(async () => {
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'tmp-'));
  process.env['TMPDIR'] = folder;
});

/** A process that has made a folder with a file in it. */
async function startHolder(): Promise<{ child: ChildProcess; name: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const path = line.toString().trim();
  await mkdir(join(path, '0/chart'), { recursive: true });
  await writeFile(join(path, '0/chart/Chart.yaml'), 'name: x');
  return { child, name: basename(path) };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('the folder of a killed process goes, that of a living one stays', async (t) => {
  const { child, name } = await startHolder();
  t.after(() => child.kill('SIGKILL'));
  const own = basename(await makeRenderFolder());
  await removeLeftRenderFolders();
  assert.deepEqual((await readdir(folder)).sort(), [own, name].sort());
  await kill(child);
  await removeLeftRenderFolders();
  assert.deepEqual(await readdir(folder), [own]);
});

test('the folder of an earlier process with the same number goes', { skip: process.platform !== 'linux' }, async () => {
  const own = basename(await makeRenderFolder());
  await mkdir(join(folder, own.replace(/^(dt-render-\d+-)\d+/, '$11')));
  await removeLeftRenderFolders();
  assert.deepEqual(await readdir(folder), [own]);
});

test('links, files, and names that are not quite ours stay', async () => {
  const { child, name } = await startHolder();
  await kill(child);
  const other = name.slice(0, -6);
  const scope = name.split('-').at(-2) ?? '';
  const target = join(root, 'target');
  await mkdir(target);
  await writeFile(join(target, 'precious'), '');
  await symlink(target, join(folder, `${other}aaaaaa`));
  await writeFile(join(folder, `${other}bbbbbb`), '');
  const folders = [
    `${other}cccccc.d`,
    `x${other}cccccc`,
    `${other}ccc`,
    'dt-render-cccccc',
    // Of another machine.
    name.replace(
      scope,
      scope.replaceAll(/./g, (digit) => (digit === '0' ? '1' : '0')),
    ),
  ];
  for (const path of folders) await mkdir(join(folder, path));
  await removeLeftRenderFolders();
  assert.deepEqual((await readdir(folder)).sort(), [...folders, `${other}aaaaaa`, `${other}bbbbbb`].sort());
  assert.deepEqual(await readdir(target), ['precious']);
});
