import assert from 'node:assert/strict';
import { appendFile, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { signPackage } from '../../scripts/package/sign-package.ts';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { PRODUCT_VERSION } from '../../src/domain/product.ts';
import { DISTRIBUTION_2, DISTRIBUTION_3, EMBEDDED } from '../support/fidelity-site.ts';
import { createStandIn, STAND_IN_VERSION } from '../support/plugin-packages.ts';
import { listTags } from '../support/registry-content.ts';
import { startEmbeddedRegistry, TEST_CREDENTIALS } from '../support/registries.ts';
import { createSandbox } from '../support/sandbox.ts';
import { createSigningKey } from '../support/signing-key.ts';
import { requireTool } from '../support/tools.ts';
import { prepareWrappedShop } from '../support/wrapped-shop.ts';

interface PushDocument {
  readonly reference: string;
  readonly digest: string;
  readonly isSigned: boolean;
  readonly isPresent: boolean;
  readonly installCommand: string;
  readonly warnings?: readonly string[];
}

const TAG = `${STAND_IN_VERSION}-linux-x64`;

for (const kind of [EMBEDDED, DISTRIBUTION_2, DISTRIBUTION_3]) {
  test(`a package in ${kind.name} is one artifact, which is not sent twice`, async (t) => {
    if (kind.tool !== undefined && requireTool(t, kind.tool) === undefined) return;
    const sandbox = await createSandbox(t);
    const store = await kind.start();
    t.after(async () => store.close());
    const archive = await createStandIn(sandbox.work);
    const push = async (...args: readonly string[]): Promise<PushDocument> =>
      JSON.parse(await sandbox.runOk(['plugin', 'push', ...args, '--json'])) as PushDocument;
    const first = await push(archive, `oci://${store.host}/tools`);
    assert.equal(first.reference, `${store.host}/tools/dt:${TAG}`);
    assert.equal(first.installCommand, `helm plugin install oci://${first.reference} --verify=false --plain-http`);
    assert.deepEqual([first.isSigned, first.isPresent], [false, false]);
    assert.equal((await listTags(store.host)).get(`tools/dt:${TAG}`), first.digest);
    await copyFile(archive, join(sandbox.work, 'renamed.tgz'));
    const again = await push('renamed.tgz', `oci://${store.host}/tools:${TAG}`);
    assert.deepEqual([again.digest, again.isPresent], [first.digest, true]);
  });
}

test('the provenance file goes along, and must be that of the package', async (t) => {
  const sandbox = await createSandbox(t);
  const key = await createSigningKey(t, sandbox);
  if (key === undefined) return;
  const store = await startEmbeddedRegistry();
  t.after(async () => store.close());
  const archive = await createStandIn(sandbox.work);
  await signPackage(archive, { key: key.secretKey });
  const push = async (file = archive): Promise<PushDocument> =>
    JSON.parse(await sandbox.runOk(['plugin', 'push', file, store.host, '--json'])) as PushDocument;
  const signed = await push();
  assert.ok(signed.isSigned);
  assert.doesNotMatch(signed.installCommand, /verify/);
  await appendFile(archive, '\0');
  const refused = await sandbox.run(['plugin', 'push', archive, store.host]);
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /Code: DT_DIGEST_MISMATCH\n/);
  const other = await createStandIn(join(sandbox.work, 'other'));
  const digest = digestOf(await readFile(other));
  await writeFile(`${other}.prov`, `x\n...\nfiles:\n  another-name.tgz: ${digest}\n`);
  assert.match((await push(other)).warnings?.[0] ?? '', /does not name dt-9\.8\.7\.tgz/);
});

test('another package under the tag is replaced only where that is allowed', async (t) => {
  const sandbox = await createSandbox(t);
  const store = await startEmbeddedRegistry({ auth: true });
  t.after(async () => store.close());
  const [first, second] = [
    await createStandIn(join(sandbox.work, 'a')),
    await createStandIn(join(sandbox.work, 'b'), { program: '#!/bin/sh\n' }),
  ];
  const { username, password } = TEST_CREDENTIALS;
  const push = async (file: string, ...args: readonly string[]): ReturnType<typeof sandbox.run> =>
    sandbox.run(['plugin', 'push', file, store.host, '--username', username, '--password-stdin', ...args], {
      stdin: password,
    });
  assert.equal((await sandbox.run(['plugin', 'push', first, store.host])).code, 4);
  assert.equal((await push(first)).code, 0);
  const refused = await push(second, '--no-overwrite');
  assert.equal(refused.code, 5);
  assert.match(refused.stderr, /Code: DT_TAG_EXISTS\n/);
  assert.match((await push(second)).stderr, /overwriting .*dt:9\.8\.7-linux-x64/);
});

test('unwrap --with-plugin=FILE pushes the package below the prefix, after the charts', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const archive = await createStandIn(sandbox.work);
  const unwrap = ['unwrap', 'w.tgz', `${target.host}/m`, `--with-plugin=${archive}`];
  const declined = JSON.parse(await sandbox.runOk([...unwrap, '--json'])) as { pushed: boolean; plugin?: object };
  assert.deepEqual([declined.pushed, declined.plugin], [false, undefined]);
  assert.equal((await listTags(target.host)).size, 0);
  const { plugin } = JSON.parse(await sandbox.runOk([...unwrap, '--yes', '--json'])) as { plugin: PushDocument };
  assert.equal(plugin.reference, `${target.host}/m/dt:${TAG}`);
  assert.equal((await listTags(target.host)).get(`m/dt:${TAG}`), plugin.digest);
  const tagged = target.requests.filter((line) => /^PUT .*\/manifests\/[^s]/.test(line) && !line.includes('sha256:'));
  assert.match(tagged.at(-1) ?? '', /\/m\/dt\/manifests\//);
});

test('a package that cannot be pushed is found before anything is pushed', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const unwrap = async (file: string, ...flags: readonly string[]): Promise<string> => {
    const { stderr } = await sandbox.run([
      'unwrap',
      'w.tgz',
      `${target.host}/m`,
      '--yes',
      `--with-plugin=${file}`,
      ...flags,
    ]);
    return /\nCode: (\w+)\n$/.exec(stderr)?.[1] ?? stderr;
  };
  assert.equal(await unwrap('missing.tgz'), 'DT_FILE_NOT_FOUND');
  await writeFile(join(sandbox.work, 'text.tgz'), 'no package');
  assert.equal(await unwrap('text.tgz'), 'DT_PLUGIN_INVALID');
  assert.equal(await unwrap(await createStandIn(sandbox.work), '--plan'), 'DT_USAGE');
  assert.equal((await listTags(target.host)).size, 0);
  await sandbox.runOk(['plugin', 'push', await createStandIn(sandbox.work), `${target.host}/m`]);
  const other = await createStandIn(join(sandbox.work, 'b'), { program: '#!/bin/sh\n' });
  assert.equal(await unwrap(other, '--no-overwrite'), 'DT_TAG_EXISTS');
  assert.equal((await listTags(target.host)).size, 1);
});

test('unwrap --with-plugin alone takes the package that Helm has kept, or says that there is none', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const plugins = join(sandbox.home, 'plugins');
  await mkdir(plugins);
  const args = ['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--with-plugin'];
  const env = { HELM_PLUGIN_DIR: join(plugins, 'dt'), HELM_PLUGIN_NAME: 'dt' };
  const alone = await sandbox.run(args);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /started without Helm.*\n/);
  const lost = await sandbox.run(args, { env });
  assert.equal(lost.code, 2);
  assert.match(lost.stderr, /helm dt unwrap … --with-plugin=dt-/);
  assert.equal((await listTags(target.host)).size, 0);
  const kept = await createStandIn(sandbox.work, { version: PRODUCT_VERSION });
  await copyFile(kept, join(plugins, `dt-${PRODUCT_VERSION}.tgz`));
  await sandbox.runOk(args, { env });
  assert.ok((await listTags(target.host)).has(`m/dt:${PRODUCT_VERSION}`));
});
