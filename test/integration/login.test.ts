import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushShopImages, writeShopChart } from '../support/charts.ts';
import { basicAuthorization } from '../support/images.ts';
import { readStoredManifest } from '../support/registry-content.ts';
import {
  startDistribution2,
  startDistribution3,
  startEmbeddedRegistry,
  TEST_CREDENTIALS,
} from '../support/registries.ts';
import { createSandbox } from '../support/sandbox.ts';
import { requireTool } from '../support/tools.ts';

const { username, password } = TEST_CREDENTIALS;

for (const [helm, tool, start] of [
  ['helm3', 'registry2', startDistribution2],
  ['helm4', 'registry3', startDistribution3],
] as const) {
  test(`credentials of "${helm} registry login" are enough to unwrap into ${tool}`, async (t) => {
    const helmPath = requireTool(t, helm);
    if (helmPath === undefined || requireTool(t, tool) === undefined) return;
    const sandbox = await createSandbox(t);
    const [source, target] = await Promise.all([startEmbeddedRegistry(), start({ auth: true })]);
    t.after(async () => Promise.all([source.close(), target.close()]));
    const pushed = await pushShopImages(source.host);
    await writeShopChart(join(sandbox.work, 'shop'), source.host);
    await sandbox.runOk(['wrap', 'shop', '--output-file', 'w.tgz']);

    const args = ['unwrap', 'w.tgz', `${target.host}/m`, '--yes'];
    assert.equal((await sandbox.run(args)).code, 4);
    const env = { HELM_REGISTRY_CONFIG: join(sandbox.home, 'registry.json') };
    const login = ['registry', 'login', target.host, '--plain-http', '--username', username, '--password-stdin'];
    await sandbox.runOk(login, { command: helmPath, env, stdin: password });
    const { stdout, stderr } = await sandbox.run([...args, '--log-level', 'debug'], { env });
    assert.ok(!`${stdout}${stderr}`.includes(password), 'the password is in the output');
    const stored = await readStoredManifest(target.host, 'm/team/api', '1.0', basicAuthorization(TEST_CREDENTIALS));
    assert.equal(stored?.digest, pushed.get('team/api:1.0')?.digest);
  });
}

test('the longest path of a credentials file wins', async (t) => {
  const sandbox = await createSandbox(t);
  const [source, target] = await Promise.all([startEmbeddedRegistry(), startEmbeddedRegistry({ auth: true })]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  await pushShopImages(source.host);
  await writeShopChart(join(sandbox.work, 'shop'), source.host);
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'w.tgz']);
  const encode = (secret: string): { auth: string } => ({
    auth: Buffer.from(`${username}:${secret}`).toString('base64'),
  });
  const file = join(sandbox.home, 'auth.json');
  await writeFile(
    file,
    JSON.stringify({ auths: { [target.host]: encode('wrong'), [`${target.host}/m`]: encode(password) } }),
  );
  const env = { REGISTRY_AUTH_FILE: file };
  await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes'], { env });
  assert.equal((await sandbox.run(['unwrap', 'w.tgz', `${target.host}/other`, '--yes'], { env })).code, 4);
});
