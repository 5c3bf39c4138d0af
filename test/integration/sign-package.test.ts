import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../../scripts/lib/run-command.ts';
import { signPackage } from '../../scripts/package/sign-package.ts';
import { createStandIn, STAND_IN_VERSION } from '../support/plugin-packages.ts';
import type { RunCliResult } from '../support/run-cli.ts';
import { createSandbox } from '../support/sandbox.ts';
import { createSigningKey } from '../support/signing-key.ts';
import { requireTool } from '../support/tools.ts';

const PASSPHRASE = 'what nobody knows';

for (const algorithm of ['rsa2048', 'ed25519']) {
  test(`Helm 4 verifies a package that an ${algorithm} key in a file has signed, under both of its names`, async (t) => {
    const [helm, sandbox] = [requireTool(t, 'helm4'), await createSandbox(t)];
    const key = await createSigningKey(t, sandbox, { algorithm, passphrase: PASSPHRASE });
    const stranger = await createSigningKey(t, sandbox, { owner: 'Stranger' });
    if (helm === undefined || key === undefined || stranger === undefined) return;
    const archive = await createStandIn(sandbox.work);
    const verify = async (file: string, keyring = key.keyring): Promise<RunCliResult> =>
      sandbox.run(['plugin', 'verify', file, '--keyring', keyring], { command: helm });
    assert.equal(await signPackage(archive, { key: key.secretKey, passphrase: PASSPHRASE }), `${archive}.prov`);
    assert.match((await verify(archive)).stdout, /Signed by: Test Signer <signer@example\.test>\n/);
    assert.notEqual((await verify(archive, stranger.keyring)).code, 0);
    // As Helm calls it once it is installed.
    const kept = join(sandbox.home, `dt-${STAND_IN_VERSION}.tgz`);
    for (const extension of ['', '.prov']) await copyFile(archive + extension, kept + extension);
    assert.equal((await verify(kept)).code, 0);
    await copyFile(await createStandIn(sandbox.home, { program: '#!/bin/sh\n' }), archive);
    assert.match((await verify(archive)).stderr, /sha256 sum does not match/);
  });
}

test('a key of the key ring is named by its owner; what gpg says of one that is not there is told', async (t) => {
  const [helm, sandbox] = [requireTool(t, 'helm4'), await createSandbox(t)];
  const key = await createSigningKey(t, sandbox);
  if (helm === undefined || key === undefined) return;
  const archive = await createStandIn(sandbox.work);
  const sign = async (name: string): Promise<RunCliResult> => {
    const program = `await (await import('./scripts/package/sign-package.ts')).signPackage(...process.argv.slice(1).map((word, index) => index === 0 ? word : { key: word }))`;
    return sandbox.run(['--input-type=module', '--eval', program, '--', archive, name], {
      command: process.execPath,
      cwd: REPOSITORY_ROOT,
      env: { GNUPGHOME: key.home },
    });
  };
  assert.match((await sign('nobody@example.test')).stderr, /gpg cannot sign:\n[^]*nobody@example\.test/);
  const { code, stderr } = await sign('signer@example.test');
  assert.equal(code, 0, stderr);
  await sandbox.runOk(['plugin', 'verify', archive, '--keyring', key.keyring], { command: helm });
  assert.match(await readFile(`${archive}.prov`, 'utf8'), /^name: dt$/m);
});

test('a wrong passphrase is an error, and no key is left behind', async (t) => {
  const sandbox = await createSandbox(t);
  const key = await createSigningKey(t, sandbox, { passphrase: PASSPHRASE });
  if (key === undefined) return;
  const archive = await createStandIn(sandbox.work);
  // Other tests sign at the same time; the path must be short, as for every key.
  const [temporary, shared] = [await mkdtemp(join(tmpdir(), 'dt-t-')), process.env['TMPDIR']];
  process.env['TMPDIR'] = temporary;
  t.after(async () => {
    if (shared === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = shared;
    await rm(temporary, { recursive: true, force: true });
  });
  await assert.rejects(signPackage(archive, { key: key.secretKey, passphrase: 'wrong' }), /gpg cannot sign:\n/);
  await assert.rejects(readFile(`${archive}.prov`));
  assert.deepEqual(await readdir(temporary), []);
});
