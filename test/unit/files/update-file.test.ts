import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { updateSecretFile } from '../../../src/files/update-file.ts';

let root = '';
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'dt-update-'));
});
after(async () => rm(root, { recursive: true, force: true }));

async function newFolder(): Promise<string> {
  const folder = join(root, String(count++));
  await mkdir(folder);
  return folder;
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test('a new file and its folders are for the owner only, and nothing else stays', async () => {
  const folder = await newFolder();
  const file = join(folder, 'a/b/config.json');
  await updateSecretFile(file, (text) => {
    assert.equal(text, undefined);
    return 'new';
  });
  assert.equal(await readFile(file, 'utf8'), 'new');
  assert.deepEqual(
    [await modeOf(file), await modeOf(join(folder, 'a')), await modeOf(join(folder, 'a/b'))],
    [0o600, 0o700, 0o700],
  );
  assert.deepEqual(await readdir(join(folder, 'a/b')), ['config.json']);
});

test('a file that others could read is theirs no longer', async () => {
  const file = join(await newFolder(), 'config.json');
  await writeFile(file, 'old', { mode: 0o644 });
  await updateSecretFile(file, (text) => `${text ?? ''} and new`);
  assert.equal(await readFile(file, 'utf8'), 'old and new');
  assert.equal(await modeOf(file), 0o600);
});

test('a link stays a link, also one that leads nowhere yet', async () => {
  const folder = await newFolder();
  await mkdir(join(folder, 'dotfiles'));
  await writeFile(join(folder, 'dotfiles/here.json'), 'old');
  for (const name of ['here.json', 'later.json']) {
    const link = join(folder, name);
    await symlink(`dotfiles/${name}`, link);
    await updateSecretFile(link, () => 'new');
    assert.ok((await lstat(link)).isSymbolicLink());
    assert.equal(await readFile(join(folder, 'dotfiles', name), 'utf8'), 'new');
  }
  await symlink('round', join(folder, 'round'));
  await assert.rejects(
    updateSecretFile(join(folder, 'round'), () => 'new'),
    { code: 'DT_OUTPUT_FAILED' },
  );
});

test('updates side by side are all in the file', async () => {
  const file = join(await newFolder(), 'config.json');
  const numbers = Array.from({ length: 8 }, (_, index) => index);
  await Promise.all(numbers.map(async (number) => updateSecretFile(file, (text) => `${text ?? ''}${String(number)}`)));
  assert.deepEqual((await readFile(file, 'utf8')).split('').sort().map(Number), numbers);
});

test('an update that fails or changes nothing leaves the file alone', async () => {
  const folder = await newFolder();
  const file = join(folder, 'config.json');
  await writeFile(file, 'old', { mode: 0o640 });
  await assert.rejects(
    updateSecretFile(file, () => {
      throw new TypeError('no');
    }),
    { name: 'TypeError' },
  );
  await updateSecretFile(file, () => undefined);
  assert.deepEqual(
    [await readFile(file, 'utf8'), await modeOf(file), await readdir(folder)],
    ['old', 0o640, ['config.json']],
  );
});

test('a place that cannot be written to is told as such', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(
    updateSecretFile(join(folder, 'file/config.json'), () => 'new'),
    { code: 'DT_OUTPUT_FAILED' },
  );
  await assert.rejects(
    updateSecretFile(folder, () => 'new'),
    { code: 'DT_FILE_UNREADABLE' },
  );
});
