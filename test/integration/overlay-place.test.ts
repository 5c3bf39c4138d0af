import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { prepareWrappedShop } from '../support/wrapped-shop.ts';

const VALUES_FILE = 'shop-1.2.3.values.relocated.yaml';

const OBSTACLES: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  'a folder': async (path) => mkdir(path),
  'a pipe': async (path) => promisify(execFile)('mkfifo', [path]),
  'a file that somebody else has written': async (path) => writeFile(path, 'mine: true\n'),
  'a link to a device': async (path) => symlink('/dev/null', path),
};

for (const [name, put] of Object.entries(OBSTACLES)) {
  test(`${name} in the place of the values file is found before anything is pushed`, async (t) => {
    const { sandbox, target } = await prepareWrappedShop(t);
    await put(join(sandbox.work, VALUES_FILE));
    const args = ['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--chart-mode', 'overlay', '--skip-preflight'];
    const result = await sandbox.run(args);
    assert.equal(result.code, 1, result.stderr);
    assert.match(result.stderr, /Code: DT_OUTPUT_FAILED/);
    assert.deepEqual(
      target.requests.filter((request) => /^(?:PUT|POST) /.test(request)),
      [],
    );
  });
}

test('the values file of an earlier unwrap is replaced', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const unwrap = async (path: string): Promise<string> => {
    await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/${path}`, '--yes', '--chart-mode', 'overlay']);
    return readFile(join(sandbox.work, VALUES_FILE), 'utf8');
  };
  assert.match(await unwrap('one'), /\/one/);
  assert.match(await unwrap('two'), /\/two/);
});
