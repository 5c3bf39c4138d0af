import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readChartFolder } from '../../../src/archive/chart-folder.ts';
import { isStagingFolderName } from '../../../src/files/replace-files.ts';

const FILES = 400;
const KILLS = 3;
const MODULE = pathToFileURL(join(import.meta.dirname, '../../../src/files/replace-files.ts')).href;

/** Replaces every file that does not end with "new" yet, as an idempotent change does. */
const SCRIPT = `
import { readdirSync, readFileSync } from 'node:fs';
import { replaceFiles } from ${JSON.stringify(MODULE)};
const [folder] = process.argv.slice(1);
const files = readdirSync(folder + '/templates').map((name) => {
  const path = folder + '/templates/' + name;
  const expectedBytes = readFileSync(path);
  return { path, expectedBytes, bytes: Buffer.from(String(expectedBytes).replace(/old$/, 'new')) };
});
await replaceFiles(folder, files.filter(({ bytes, expectedBytes }) => !bytes.equals(expectedBytes)));
`;

const textOf = (index: number, end: string): string => `${String(index).padStart(4, '0').repeat(500)} ${end}`;
const pathOf = (folder: string, index: number): string => join(folder, 'templates', `${String(index)}.yaml`);

/** Runs the script; killed when so many files are replaced, if that is given. */
async function replaceAll(folder: string, killAfter = Infinity): Promise<NodeJS.Signals | null> {
  let replacedCount = 0;
  const watcher = watch(join(folder, 'templates'), () => {
    if (++replacedCount === killAfter) child.kill('SIGKILL');
  });
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, folder], { stdio: 'inherit' });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  watcher.close();
  assert.ok(code === 0 || signal === 'SIGKILL', String(code));
  return signal;
}

test('a run that is killed between files leaves each one complete, and the next run ends right', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dt-killed-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'templates'));
  let partlyReplaced = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    for (let index = 0; index < FILES; index++) await writeFile(pathOf(folder, index), textOf(index, 'old'));
    const signal = await replaceAll(folder, 1 + kill * 10);
    let newCount = 0;
    for (let index = 0; index < FILES; index++) {
      const text = await readFile(pathOf(folder, index), 'utf8');
      assert.ok(text === textOf(index, 'old') || text === textOf(index, 'new'));
      if (text.endsWith('new')) newCount++;
    }
    if (signal !== null && newCount > 0 && newCount < FILES) partlyReplaced++;
    // What the killed run left is neither rendered nor packed.
    const tree = await readChartFolder(folder);
    assert.equal(tree.length, FILES + 1);

    assert.equal(await replaceAll(folder), null);
    for (let index = 0; index < FILES; index++) {
      assert.equal(await readFile(pathOf(folder, index), 'utf8'), textOf(index, 'new'));
    }
  }
  assert.ok(partlyReplaced > 0, 'no run was killed in the middle');
  const left = await readdir(folder);
  assert.ok(left.some(isStagingFolderName));
  assert.ok(left.every((name) => name === 'templates' || isStagingFolderName(name)));
});
