import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Completion } from '../../../../src/workflows/completing/completion.ts';
import { listPaths } from '../../../../src/workflows/completing/list-paths.ts';

const CHARTS = { extensions: ['tgz'], markerFile: 'Chart.yaml' };
const LEFT_TO_SHELL: Completion = { kind: 'files', extensions: ['tgz'] };

async function createFolder(t: TestContext, ...files: readonly string[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'dt-paths-'));
  t.after(async () => rm(root, { recursive: true }));
  for (const file of files) {
    await mkdir(join(root, file, '..'), { recursive: true });
    await writeFile(join(root, file), '');
  }
  return root;
}

/** The words without the folder in front of them. */
async function list(folder: string, start = ''): Promise<readonly string[]> {
  const completion = await listPaths(`${folder}/${start}`, CHARTS, undefined);
  assert.ok(completion.kind === 'words', completion.kind);
  return completion.words.map(({ text }) => text.slice(folder.length + 1));
}

test('files of the kind, folders that are what is looked for, and other folders to go into', async (t) => {
  const root = await createFolder(t, 'b.tgz', 'a.txt', 'chart/Chart.yaml', 'more/c.tgz', '.hidden/d.tgz', '.e.tgz');
  await symlink('chart', join(root, 'link'));
  await symlink('nowhere', join(root, 'broken'));
  assert.deepEqual(await list(root), ['b.tgz', 'chart', 'link', 'more/']);
  assert.deepEqual(await list(root, 'more/'), ['more/c.tgz']);
  assert.deepEqual(await list(root, 'c'), ['chart']);
  assert.deepEqual(await list(root, '.'), ['.e.tgz', '.hidden/']);
});

test('the shell lists what there is where nothing of the kind is found', async (t) => {
  const root = await createFolder(t, 'a.txt');
  for (const word of [`${root}/`, `${root}/none/`, `${root}/a.txt/`]) {
    assert.deepEqual(await listPaths(word, CHARTS, undefined), { kind: 'files' });
  }
});

for (const name of ['my app.tgz', 'a\nb.tgz', '$(id).tgz', 'a\u001b[2J.tgz', "it's.tgz"]) {
  test(`the shell lists and quotes ${JSON.stringify(name)}`, async (t) => {
    const root = await createFolder(t, name, 'plain.tgz');
    assert.deepEqual(await listPaths(`${root}/`, CHARTS, undefined), LEFT_TO_SHELL);
    assert.deepEqual(await list(root, 'pl'), ['plain.tgz'], 'where it does not match, it does not matter');
  });
}

test('the shell lists what was typed with quotes, or may have been typed with ~', async (t) => {
  const root = await createFolder(t, 'a.tgz');
  for (const word of ["'a", '$HOME/a', '~/a', 'my\\ a']) {
    assert.deepEqual(await listPaths(word, CHARTS, undefined), LEFT_TO_SHELL, word);
  }
  assert.deepEqual(await listPaths(`${root}/a`, CHARTS, root), LEFT_TO_SHELL);
  assert.equal((await listPaths(`${root}/a`, CHARTS, `${root}x`)).kind, 'words');
});
