import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { signPackage } from '../../scripts/package/sign-package.ts';
import { HELM_TOOLS } from '../support/helm.ts';
import { assertInstalls, install, listPlugins, listVersion } from '../support/install-script.ts';
import { createStandIn, PACKAGE_KINDS, STAND_IN_VERSION, unpackPackage } from '../support/plugin-packages.ts';
import { carryChart, openPluginSite } from '../support/plugin-site.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { createSigningKey } from '../support/signing-key.ts';

const OLD_VERSION = '9.0.0';
/** A program that does not start. */
const BROKEN = '#!/bin/sh\necho "not on this machine" >&2\nexit 1\n';

for (const tool of HELM_TOOLS) {
  for (const kind of PACKAGE_KINDS) {
    test(`install.sh: ${tool} gets ${kind.name} from an archive of both layouts, and from a folder`, async (t) => {
      const site = await openPluginSite(t, tool, kind.env);
      if (site === undefined) return;
      const { sandbox, plugins } = site;
      const files = await kind.create(t, join(sandbox.work, 'päck ages'));
      if (files === undefined) return;
      const { version, named, flat } = files;
      const folder = await unpackPackage(named, sandbox.home);
      for (const source of [named, flat, folder]) {
        await assertInstalls(site, source);
        assert.equal(await listVersion(site), version);
        assert.deepEqual(await listPlugins(site), ['dt']);
      }
      await carryChart(t, site);
      await site.helmOk('plugin', 'uninstall', 'dt');
      assert.deepEqual(await readdir(plugins), []);
    });
  }

  test(`install.sh: ${tool} gets a second version in place of the first, also of one that is a link`, async (t) => {
    const site = await openPluginSite(t, tool);
    if (site === undefined) return;
    const { sandbox, helmOk } = site;
    const old = await createStandIn(sandbox.work, { version: OLD_VERSION });
    const next = await createStandIn(sandbox.work);
    await assertInstalls(site, old);
    await assertInstalls(site, next);
    assert.equal(await listVersion(site), STAND_IN_VERSION);
    await helmOk('plugin', 'uninstall', 'dt');
    const folder = await unpackPackage(old, sandbox.home);
    await helmOk('plugin', 'install', folder);
    await assertInstalls(site, next);
    assert.equal(await listVersion(site), STAND_IN_VERSION);
    assert.match(await readFile(join(folder, 'plugin.yaml'), 'utf8'), /^version: 9\.0\.0$/m);
  });
}

test('install.sh: the checksums beside a package must name it', async (t) => {
  const site = await openPluginSite(t, 'helm4');
  if (site === undefined) return;
  const { sandbox } = site;
  const archive = await createStandIn(sandbox.work);
  const sums = join(sandbox.work, 'SHA256SUMS');
  const sum = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  await writeFile(sums, `${'0'.repeat(64)}  other.tgz\n`);
  assert.match((await install(site, archive)).stderr, /SHA256SUMS does not name dt-/);
  await writeFile(sums, `${'0'.repeat(64)}  ${basename(archive)}\n`);
  assert.match((await install(site, archive)).stderr, /is damaged/);
  assert.deepEqual(await listPlugins(site), []);
  await writeFile(sums, `${'0'.repeat(64)}  other.tgz\n${sum}  ${basename(archive)}\n`);
  await assertInstalls(site, archive);
});

test('install.sh: of a folder with packages that for this machine is taken, or that for every machine', async (t) => {
  const site = await openPluginSite(t, 'helm4');
  if (site === undefined) return;
  const { sandbox } = site;
  const folder = join(sandbox.work, 'packages');
  await createStandIn(folder, { version: '1.0.0', platform: 'universal' });
  await createStandIn(folder, { version: '2.0.0', platform: 'darwin-x64', program: BROKEN });
  await assertInstalls(site, folder);
  assert.equal(await listVersion(site), '1.0.0');
  await createStandIn(folder, { version: '3.0.0' });
  await assertInstalls(site, folder);
  assert.equal(await listVersion(site), '3.0.0');
  await createStandIn(folder, { version: '4.0.0' });
  assert.match((await install(site, folder)).stderr, /has several packages for linux-x64\n.*install\.sh '/);
  assert.match((await install(site, sandbox.home)).stderr, /has neither a package for linux-x64/);
});

test('install.sh: signatures count where a key ring is given, for archives and registries', async (t) => {
  const site = await openPluginSite(t, 'helm4');
  const key = site === undefined ? undefined : await createSigningKey(t, site.sandbox);
  const stranger = site === undefined ? undefined : await createSigningKey(t, site.sandbox, { owner: 'Stranger' });
  if (site === undefined || key === undefined || stranger === undefined) return;
  const { sandbox, helmOk } = site;
  const archive = await createStandIn(sandbox.work);
  const registry = await startRegistry(t);
  assert.match((await install(site, '--keyring', key.keyring, archive)).stderr, /is not verified/);
  await signPackage(archive, { key: stranger.secretKey });
  assert.match((await install(site, '--keyring', key.keyring, archive)).stderr, /is not verified/);
  await signPackage(archive, { key: key.secretKey });
  await sandbox.runOk(['plugin', 'push', archive, registry]);
  const place = `oci://${registry}/dt:${STAND_IN_VERSION}-linux-x64`;
  for (const args of [[archive], [place, '--', '--plain-http']]) {
    await assertInstalls(site, '--keyring', key.keyring, ...args);
    assert.match(await helmOk('plugin', 'list'), /^dt .*\bsigned\b/m);
    await helmOk('plugin', 'uninstall', 'dt');
  }
  const refused = await install(site, '--keyring', stranger.keyring, place, '--', '--plain-http');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Helm cannot install oci:/);
  assert.deepEqual(await listPlugins(site), []);
});

test('install.sh: Helm 3 is told what it cannot do', async (t) => {
  const site = await openPluginSite(t, 'helm3');
  if (site === undefined) return;
  const archive = await createStandIn(site.sandbox.work);
  assert.match(
    (await install(site, 'oci://127.0.0.1:9/dt:1')).stderr,
    /Helm 3 cannot install plugins from a registry\n/,
  );
  assert.match((await install(site, '--keyring', 'x', archive)).stderr, /Helm 3 cannot verify plugins\n/);
});

async function startRegistry(t: TestContext): Promise<string> {
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  return registry.host;
}
