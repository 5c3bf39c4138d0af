import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeBundle } from '../../support/bundles.ts';
import { createTestAuthority } from '../../support/certificates.ts';
import {
  findDistribution3,
  startDistribution3,
  startEmbeddedRegistry,
  TEST_CREDENTIALS,
} from '../../support/registries.ts';
import { createSandbox } from '../../support/sandbox.ts';

const { username, password } = TEST_CREDENTIALS;
const GIVEN = { IMGPKG_USERNAME: username, IMGPKG_PASSWORD: password };

test('the variables and flags of imgpkg give credentials, and take them away', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry({ auth: true });
  t.after(async () => registry.close());
  const { host } = registry;
  await writeBundle(join(sandbox.work, 'b'), []);
  const push = ['bundle', 'push', '-b', `${host}/a/b:1`, '-f', 'b'];
  assert.equal((await sandbox.run(push)).code, 4);
  assert.equal((await sandbox.run(push, { env: { ...GIVEN, IMGPKG_PASSWORD: 'wrong' } })).code, 4);
  await sandbox.runOk(push, { env: GIVEN });
  const flags = ['--registry-username', username, '--registry-password', password];
  const resolve = ['bundle', 'tag', 'resolve', '-i', `${host}/a/b:1`];
  await sandbox.runOk([...resolve, ...flags]);

  // What a file holds counts unless nothing shall.
  await mkdir(join(sandbox.home, '.docker'));
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  await writeFile(join(sandbox.home, '.docker/config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  await sandbox.runOk(resolve);
  assert.equal((await sandbox.run([...resolve, '--registry-anon'])).code, 4);
  assert.equal((await sandbox.run(resolve, { env: { ...GIVEN, IMGPKG_ANON: 'true' } })).code, 4);
  assert.equal((await sandbox.run(resolve, { env: { IMGPKG_TOKEN: 'abc' } })).code, 2);
});

test('certificates are checked unless they shall not be', { skip: findDistribution3() === undefined }, async (t) => {
  const sandbox = await createSandbox(t);
  const authority = await createTestAuthority(t);
  const registry = await startDistribution3({ tls: await authority.issue('127.0.0.1') });
  t.after(async () => registry.close());
  const { host } = registry;
  await writeBundle(join(sandbox.work, 'b'), []);
  const push = ['bundle', 'push', '-b', `${host}/a/b:1`, '-f', 'b', '--retries', '0'];
  assert.equal((await sandbox.run(push)).code, 5);
  await sandbox.runOk([...push, '--registry-ca-cert-path', authority.certificate]);
  await sandbox.runOk([...push, '--registry-verify-certs=false']);
  await sandbox.runOk([...push, '--registry-insecure']);
});
