import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCosign } from '../support/cosign.ts';
import { writeHelper } from '../support/credential-helpers.ts';
import { chartFiles, writeFiles } from '../support/hostile-wraps.ts';
import { basicAuthorization, pushImage } from '../support/images.ts';
import { startEmbeddedRegistry, TEST_CREDENTIALS, type EmbeddedRegistry } from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

test('cosign takes the signature of a wrap, and so do we', async (t) => {
  const cosign = await createCosign(t);
  if (cosign === undefined) return;
  const { sandbox, registry } = await prepareSource(t);
  const path = (name: string): string => join(sandbox.work, name);
  await writeFile(path('cosign.key'), cosign.privateKey);
  await writeFile(path('cosign.pub'), cosign.publicKey);
  const env = { COSIGN_PASSWORD: cosign.password };
  const wraps = {
    'w.wrap.tgz': ['wrap', 'demo'],
    'c.wrap.tgz': ['images', 'wrap', `${registry.host}/app:1`],
  };
  for (const [file, command] of Object.entries(wraps)) {
    const args = [...command, '--output-file', file, '--sign', 'cosign.key', '--json', '--log-level', 'debug'];
    const signed = await sandbox.run(args, { env });
    assert.equal(signed.code, 0, signed.stderr);
    assert.equal((JSON.parse(signed.stdout) as { signatureFile: string }).signatureFile, `${file}.sigstore.json`);
    assert.ok(!(signed.stdout + signed.stderr).includes(cosign.password));
    const taken = await cosign.verifyFile(path(file), path(`${file}.sigstore.json`));
    assert.equal(taken.code, 0, taken.stderr);
    assert.match(
      await sandbox.runOk(['verify', file, '--key', 'cosign.pub']),
      /Signature of the wrap: signature by the key /,
    );

    // The signature of cosign in place of ours.
    const bundle = await readFile(await cosign.signFile(path(file)));
    await writeFile(path('theirs.json'), bundle);
    await sandbox.runOk(['verify', file, '--key', 'cosign.pub', '--signature', 'theirs.json']);
  }
});

test('a wrap is made anew with a new signature, and one without is warned about', async (t) => {
  const { sandbox } = await prepareSource(t);
  await writeKeys(sandbox);
  const wrap = ['wrap', 'demo', '--output-file', 'w.wrap.tgz'];
  await sandbox.runOk([...wrap, '--sign', 'key.pem']);
  await sandbox.runOk(['verify', 'w.wrap.tgz', '--key', 'key.pub']);
  const again = await sandbox.run(wrap);
  assert.match(again.stderr, /w\.wrap\.tgz\.sigstore\.json is the signature of a former file/);
  const refused = await sandbox.run(['verify', 'w.wrap.tgz', '--key', 'key.pub']);
  assert.equal(refused.code, 3);
  await sandbox.runOk([...wrap, '--sign', 'key.pem']);
  await sandbox.runOk(['verify', 'w.wrap.tgz', '--key', 'key.pub']);
});

test('a folder in the place of the signature is found before anything is pulled', async (t) => {
  const { sandbox, registry } = await prepareSource(t);
  await writeKeys(sandbox);
  await mkdir(join(sandbox.work, 'w.wrap.tgz.sigstore.json'));
  const before = registry.requests.filter((request) => request.includes('/blobs/')).length;
  const result = await sandbox.run(['wrap', 'demo', '--output-file', 'w.wrap.tgz', '--sign', 'key.pem']);
  assert.equal(result.code, 1, result.stderr);
  assert.match(result.stderr, /Code: DT_OUTPUT_FAILED/);
  assert.equal(registry.requests.filter((request) => request.includes('/blobs/')).length, before);
});

test('a key that cannot sign ends the command before anything is asked for', async (t) => {
  const { sandbox, registry } = await prepareSource(t);
  const path = (name: string): string => join(sandbox.work, name);
  await writeKeys(sandbox);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secret = 'open-sesame';
  await writeFile(
    path('locked.pem'),
    privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: secret }),
  );
  await writeFile(path('ed.pem'), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(path('none.pem'), 'this is no key');
  const before = registry.requests.length;
  for (const [key, code, env, exitCode] of [
    ['locked.pem', 'DT_KEY_INVALID', {}, 1],
    ['locked.pem', 'DT_KEY_INVALID', { COSIGN_PASSWORD: 'wrong-password' }, 1],
    ['ed.pem', 'DT_KEY_INVALID', {}, 1],
    ['none.pem', 'DT_KEY_INVALID', {}, 1],
    ['key.pub', 'DT_KEY_INVALID', {}, 1],
    ['missing.pem', 'DT_FILE_NOT_FOUND', {}, 1],
    ['', 'DT_USAGE', {}, 2],
  ] as const) {
    for (const command of [
      ['wrap', 'demo'],
      ['images', 'wrap', `${registry.host}/app:1`],
    ]) {
      const args = [...command, '--output-file', 'w.wrap.tgz', '--sign', key];
      const { code: exit, stderr, stdout } = await sandbox.run(args, { env: { COSIGN_PASSWORD: undefined, ...env } });
      assert.match(stderr, new RegExp(`Code: ${code}\\n`), key);
      assert.equal(exit, exitCode, key);
      assert.doesNotMatch(stdout + stderr, /wrong-password/);
      if (key === 'locked.pem' && !('COSIGN_PASSWORD' in env)) assert.match(stderr, /COSIGN_PASSWORD/);
    }
  }
  assert.equal(registry.requests.length, before);
  await assert.rejects(access(path('w.wrap.tgz')));
  await sandbox.runOk(['wrap', 'demo', '--output-file', 'w.wrap.tgz', '--sign', 'locked.pem'], {
    env: { COSIGN_PASSWORD: secret },
  });
});

test('credential helpers do not learn the password of the key', async (t) => {
  const { sandbox, registry } = await prepareSource(t, { auth: true });
  await writeKeys(sandbox);
  const seen = join(sandbox.home, 'seen');
  const { username, password } = TEST_CREDENTIALS;
  await writeHelper(sandbox.home, 'spy', `env > '${seen}'\necho '{"Username":"${username}","Secret":"${password}"}'`);
  await writeFiles(join(sandbox.home, '.docker'), {
    'config.json': JSON.stringify({ credHelpers: { [registry.host]: 'spy' } }),
  });
  const env = { COSIGN_PASSWORD: 'not-for-helpers', PATH: `${sandbox.home}:${process.env['PATH'] ?? ''}` };
  await sandbox.runOk(['wrap', 'demo', '--output-file', 'w.wrap.tgz', '--sign', 'key.pem'], { env });
  const variables = await readFile(seen, 'utf8');
  assert.match(variables, /^PATH=/m);
  assert.doesNotMatch(variables, /not-for-helpers/);
});

/** The chart `demo` with one image in a registry. */
async function prepareSource(
  t: TestContext,
  { auth = false } = {},
): Promise<{ sandbox: Sandbox; registry: EmbeddedRegistry }> {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry({ auth });
  t.after(async () => registry.close());
  const authorization = auth ? basicAuthorization(TEST_CREDENTIALS) : undefined;
  await pushImage(registry.host, 'app:1', { layerBytes: 100_000, authorization });
  await writeFiles(join(sandbox.work, 'demo'), chartFiles([`${registry.host}/app:1`]));
  return { sandbox, registry };
}

async function writeKeys({ work }: Sandbox): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(work, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(work, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}
