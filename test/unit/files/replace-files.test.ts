import assert from 'node:assert/strict';
import { globSync, rmSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DtError } from '../../../src/domain/errors.ts';
import { replaceFiles, type FileReplacement } from '../../../src/files/replace-files.ts';
import { catchError } from '../../support/assert-refused.ts';

const NAMES = ['a', 'b', 'c'] as const;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-test-'));
  for (const name of NAMES) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'file'), `old ${name}`);
  }
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const pathOf = (name: string): string => join(folder, name, 'file');
const replacementOf = (name: string): FileReplacement => ({ path: pathOf(name), bytes: Buffer.from(`new ${name}`) });
const readTexts = async (): Promise<string[]> => Promise.all(NAMES.map(async (name) => readFile(pathOf(name), 'utf8')));

/** Nothing but the files themselves. */
async function assertClean(): Promise<void> {
  for (const name of NAMES) assert.deepEqual(await readdir(join(folder, name)), ['file']);
}

describe('replaceFiles', () => {
  it('replaces all files and keeps their modes', async () => {
    await chmod(pathOf('b'), 0o751);
    await replaceFiles(NAMES.map(replacementOf));
    assert.deepEqual(await readTexts(), ['new a', 'new b', 'new c']);
    assert.equal((await stat(pathOf('b'))).mode & 0o777, 0o751);
    await assertClean();
  });

  it('changes nothing if one of them cannot be written', async () => {
    const missing = { path: join(folder, 'missing', 'file'), bytes: Buffer.from('new') };
    const isFolder = { path: join(folder, 'c'), bytes: Buffer.from('new') };
    for (const bad of [missing, isFolder]) {
      const error = await catchError(replaceFiles([replacementOf('a'), bad, replacementOf('b')]));
      assert.ok(error instanceof DtError);
      assert.equal(error.code, 'DT_OUTPUT_FAILED');
      assert.deepEqual(await readTexts(), ['old a', 'old b', 'old c']);
      await assertClean();
      assert.deepEqual(await readdir(folder), [...NAMES]);
    }
  });

  it('gives the first ones their content back if a later one fails at the last moment', async () => {
    await chmod(pathOf('a'), 0o640);
    const last = {
      path: pathOf('c'),
      /** What was written beside the second file is gone when its turn comes. */
      get bytes(): Uint8Array {
        const staged = globSync(`${folder}/b/file.*`);
        assert.equal(staged.length, 1);
        for (const path of staged) rmSync(path);
        return Buffer.from('new c');
      },
    };
    const error = await catchError(replaceFiles([replacementOf('a'), replacementOf('b'), last]));
    assert.ok(error instanceof DtError);
    assert.equal(error.code, 'DT_OUTPUT_FAILED');
    assert.match(error.message, /^nothing was changed/);
    assert.deepEqual(await readTexts(), ['old a', 'old b', 'old c']);
    assert.equal((await stat(pathOf('a'))).mode & 0o777, 0o640);
    await assertClean();
  });

  it('changes the file that a link leads to', async () => {
    await symlink('b/file', join(folder, 'link'));
    await replaceFiles([{ path: join(folder, 'link'), bytes: Buffer.from('through the link') }]);
    assert.ok((await lstat(join(folder, 'link'))).isSymbolicLink());
    assert.equal(await readFile(pathOf('b'), 'utf8'), 'through the link');
    await assertClean();
  });
});
