import assert from 'node:assert/strict';
import { globSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DtError, type ErrorCode } from '../../../src/domain/errors.ts';
import { replaceFiles, type FileReplacement } from '../../../src/files/replace-files.ts';
import { catchError } from '../../support/assert-refused.ts';

const NAMES = ['a', 'b', 'c'] as const;

const PLAIN_USER = 65_534;

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
const replacementOf = (name: string): FileReplacement => ({
  path: pathOf(name),
  bytes: Buffer.from(`new ${name}`),
  expectedBytes: Buffer.from(`old ${name}`),
});
const readTexts = async (): Promise<string[]> => Promise.all(NAMES.map(async (name) => readFile(pathOf(name), 'utf8')));

/** The new content of the file; `act` is called when all files before it are staged. */
function actWhenStaged(name: string, act: (stagingFolder: string) => void): FileReplacement {
  return {
    ...replacementOf(name),
    get bytes(): Uint8Array {
      const [stagingFolder] = globSync(`${folder}/.dt-replacing-*.tmp`);
      assert.ok(stagingFolder !== undefined);
      act(stagingFolder);
      return Buffer.from(`new ${name}`);
    },
  };
}

/** Nothing but the files themselves. */
async function assertClean(): Promise<void> {
  assert.deepEqual((await readdir(folder)).toSorted(), [...NAMES]);
  for (const name of NAMES) assert.deepEqual(await readdir(join(folder, name)), ['file']);
}

async function assertFails(
  files: readonly FileReplacement[],
  message: RegExp,
  code: ErrorCode = 'DT_OUTPUT_FAILED',
): Promise<DtError> {
  const error = await catchError(replaceFiles(folder, files));
  assert.ok(error instanceof DtError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return error;
}

/** A superuser writes everywhere. */
async function asPlainUser(run: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return run();
  for (const path of [folder, ...NAMES.flatMap((name) => [join(folder, name), pathOf(name)])]) {
    await chown(path, PLAIN_USER, PLAIN_USER);
  }
  process.seteuid?.(PLAIN_USER);
  try {
    await run();
  } finally {
    process.seteuid?.(0);
  }
}

describe('replaceFiles', () => {
  it('replaces all files and keeps their modes', async () => {
    await chmod(pathOf('b'), 0o751);
    // More than the umask gives a new file.
    await chmod(pathOf('c'), 0o666);
    await replaceFiles(folder, NAMES.map(replacementOf));
    assert.deepEqual(await readTexts(), ['new a', 'new b', 'new c']);
    assert.equal((await stat(pathOf('b'))).mode & 0o777, 0o751);
    assert.equal((await stat(pathOf('c'))).mode & 0o777, 0o666);
    await assertClean();
  });

  it('changes nothing if one of them cannot be written', async () => {
    const missing = { ...replacementOf('b'), path: join(folder, 'missing', 'file') };
    const isFolder = { ...replacementOf('b'), path: join(folder, 'c') };
    for (const bad of [missing, isFolder]) {
      await assertFails([replacementOf('a'), bad, replacementOf('c')], /^nothing was changed: /);
      assert.deepEqual(await readTexts(), ['old a', 'old b', 'old c']);
      await assertClean();
    }
  });

  it('changes nothing if one of them is no longer what the new contents were made from', async () => {
    await writeFile(pathOf('c'), 'edited');
    const error = await assertFails(NAMES.map(replacementOf), /^nothing was changed: .*was changed meanwhile$/);
    assert.ok(error.message.includes(pathOf('c')));
    assert.deepEqual(await readTexts(), ['old a', 'old b', 'edited']);
    await assertClean();
  });

  it('sees an edit that is made while the files are prepared', async () => {
    const last = actWhenStaged('c', () => {
      writeFileSync(pathOf('a'), 'edited');
    });
    await assertFails([replacementOf('a'), replacementOf('b'), last], /was changed meanwhile$/);
    assert.deepEqual(await readTexts(), ['edited', 'old b', 'old c']);
    await assertClean();
  });

  it('gives the first ones their content back if a later one fails at the last moment', async () => {
    await chmod(pathOf('a'), 0o640);
    const last = actWhenStaged('c', (stagingFolder) => {
      rmSync(join(stagingFolder, '1.new'));
    });
    await assertFails([replacementOf('a'), replacementOf('b'), last], /^nothing was changed: /);
    assert.deepEqual(await readTexts(), ['old a', 'old b', 'old c']);
    assert.equal((await stat(pathOf('a'))).mode & 0o777, 0o640);
    await assertClean();
  });

  it('gives files back their content that nobody may write, as a user without rights', async () => {
    await asPlainUser(async () => {
      for (const name of NAMES) await chmod(pathOf(name), 0o444);
      await chmod(join(folder, 'c'), 0o555);
      try {
        await assertFails(NAMES.map(replacementOf), /^nothing was changed: EACCES/);
      } finally {
        await chmod(join(folder, 'c'), 0o755);
      }
      assert.deepEqual(await readTexts(), ['old a', 'old b', 'old c']);
      assert.equal((await stat(pathOf('a'))).mode & 0o777, 0o444);
      await assertClean();
    });
  });

  it('names what stays changed, puts back the rest, and keeps what it did not put back', async () => {
    const fourth = { path: join(folder, 'fourth'), bytes: Buffer.from('new'), expectedBytes: Buffer.from('old') };
    await writeFile(fourth.path, 'old');
    const last = actWhenStaged('c', (stagingFolder) => {
      rmSync(join(stagingFolder, '0.old'));
      rmSync(join(stagingFolder, '2.new'));
    });
    const error = await assertFails([replacementOf('a'), replacementOf('b'), fourth, last], /stayed changed/);
    assert.deepEqual(await readTexts(), ['new a', 'old b', 'old c']);
    assert.equal(await readFile(fourth.path, 'utf8'), 'old');
    assert.ok(error.message.includes(pathOf('a')) && !error.message.includes(pathOf('b')));
    assert.doesNotMatch(error.message, /nothing was changed/);
    const [stagingFolder] = globSync(`${folder}/.dt-replacing-*.tmp`);
    assert.ok(stagingFolder !== undefined && error.detail?.includes(stagingFolder));
  });

  it('replaces a file once that two links lead to, and refuses two contents for it', async () => {
    await symlink('b/file', join(folder, 'link'));
    const linked = { ...replacementOf('b'), path: join(folder, 'link') };
    await assertFails(
      [replacementOf('b'), { ...linked, bytes: Buffer.from('else') }],
      /are one file and cannot differ/,
    );
    assert.deepEqual(await readTexts(), ['old a', 'old b', 'old c']);
    await replaceFiles(folder, [replacementOf('b'), linked]);
    assert.deepEqual(await readTexts(), ['old a', 'new b', 'old c']);
  });

  it('writes files that were not there, with their mode and the folder that is missing', async () => {
    const [lock, other] = ['d/lock', 'd/other'].map((name) => join(folder, name)) as [string, string];
    await replaceFiles(folder, [
      replacementOf('a'),
      { path: lock, bytes: Buffer.from('lock'), expectedBytes: undefined, newMode: 0o600 },
      { path: other, bytes: Buffer.from('other'), expectedBytes: undefined, newMode: 0o644 },
    ]);
    assert.deepEqual(await readTexts(), ['new a', 'old b', 'old c']);
    assert.deepEqual((await readdir(folder)).toSorted(), [...NAMES, 'd']);
    assert.deepEqual((await readdir(join(folder, 'd'))).toSorted(), ['lock', 'other']);
    assert.equal(await readFile(lock, 'utf8'), 'lock');
    assert.deepEqual([(await stat(lock)).mode & 0o777, (await stat(other)).mode & 0o777], [0o600, 0o644]);
  });

  it('takes new files and their folder away again if a later one fails at the last moment', async () => {
    const added = { path: join(folder, 'd/lock'), bytes: Buffer.from('lock'), expectedBytes: undefined };
    const last = actWhenStaged('c', (stagingFolder) => {
      rmSync(join(stagingFolder, '1.new'));
    });
    await assertFails([added, replacementOf('a'), last], /^nothing was changed: /);
    assert.deepEqual(await readTexts(), ['old a', 'old b', 'old c']);
    await assertClean();
  });

  it('does not write over a file that was not there before', async () => {
    const added = { ...replacementOf('a'), expectedBytes: undefined };
    await assertFails([replacementOf('b'), added], /^nothing was changed: .*was changed meanwhile$/);
    assert.deepEqual(await readTexts(), ['old a', 'old b', 'old c']);
    await assertClean();
  });

  it('changes the file that a link leads to', async () => {
    await symlink('b/file', join(folder, 'link'));
    await replaceFiles(folder, [{ ...replacementOf('b'), path: join(folder, 'link') }]);
    assert.ok((await lstat(join(folder, 'link'))).isSymbolicLink());
    assert.equal(await readFile(pathOf('b'), 'utf8'), 'new b');
  });
});
