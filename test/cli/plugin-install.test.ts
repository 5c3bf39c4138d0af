import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { signPackage } from '../../scripts/package/sign-package.ts';
import { HELM_TOOLS } from '../support/helm.ts';
import { DISTRIBUTION_2, DISTRIBUTION_3, EMBEDDED } from '../support/fidelity-site.ts';
import { createStandIn, PACKAGE_KINDS, STAND_IN, unpackPackage } from '../support/plugin-packages.ts';
import { carryChart, openPluginSite, serveFolder, type PluginSite } from '../support/plugin-site.ts';
import { createSigningKey } from '../support/signing-key.ts';
import { requireTool } from '../support/tools.ts';

const NEXT_VERSION = '9.9.0';

async function assertInstalled({ helmOk }: PluginSite, version: string): Promise<void> {
  assert.match(await helmOk('plugin', 'list'), new RegExp(`^dt\\s+${version.replaceAll('.', '\\.')}\\s`, 'm'));
  assert.match(await helmOk('dt', 'version'), /: dt \d/);
}

async function uninstall({ helmOk }: PluginSite): Promise<void> {
  await helmOk('plugin', 'uninstall', 'dt');
  assert.doesNotMatch(await helmOk('plugin', 'list'), /^dt/m);
}

for (const kind of PACKAGE_KINDS) {
  for (const tool of HELM_TOOLS) {
    test(`${tool} installs ${kind.name} from a folder, completes its words, carries a chart and uninstalls it`, async (t) => {
      const site = await openPluginSite(t, tool, kind.env);
      if (site === undefined) return;
      const { sandbox, helmOk } = site;
      const files = await kind.create(t, sandbox.work);
      if (files === undefined) return;
      const { version, named } = files;
      const folder = await unpackPackage(named, sandbox.home);
      await helmOk('plugin', 'install', folder);
      await assertInstalled(site, version);
      await carryChart(t, site);
      assert.match(await helmOk('__complete', 'dt', 'unw'), /^unwrap\b.*\n:4\n$/);
      assert.match(await helmOk('__complete', 'dt', 'unwrap', '--chart-mode', 'k'), /^keep\n:4\n$/);
      await uninstall(site);
      await stat(join(folder, 'plugin.yaml'));
    });

    test(`${tool} installs ${kind.name} over http, and again after it was uninstalled`, async (t) => {
      const site = await openPluginSite(t, tool, kind.env);
      if (site === undefined) return;
      const { sandbox, helmOk } = site;
      const files = await kind.create(t, sandbox.work);
      if (files === undefined) return;
      const { version, flat } = files;
      await copyFile(flat, join(sandbox.work, `dt-${version}.tgz`));
      const url = `${await serveFolder(t, sandbox.work)}/dt-${version}.tgz`;
      const flags = tool === 'helm4' ? ['--verify=false'] : [];
      for (let round = 1; round <= 2; round++) {
        await helmOk('plugin', 'install', url, ...flags);
        await assertInstalled(site, version);
        if (round === 1) await carryChart(t, site);
        await uninstall(site);
      }
    });
  }

  test(`Helm 4 installs ${kind.name} from an archive, verified and not, and over http, verified`, async (t) => {
    const site = await openPluginSite(t, 'helm4', kind.env);
    const key = site === undefined ? undefined : await createSigningKey(t, site.sandbox);
    if (site === undefined || key === undefined) return;
    const { sandbox, helm, helmOk } = site;
    const files = await kind.create(t, sandbox.work);
    if (files === undefined) return;
    const { version, named } = files;
    assert.notEqual((await helm('plugin', 'install', named)).code, 0);
    await helmOk('plugin', 'install', named, '--verify=false');
    await assertInstalled(site, version);
    await uninstall(site);

    await signPackage(named, { key: key.secretKey });
    await helmOk('plugin', 'verify', named, '--keyring', key.keyring);
    const address = `${await serveFolder(t, join(named, '..'))}/${named.slice(named.lastIndexOf('/') + 1)}`;
    for (const source of [named, address]) {
      await helmOk('plugin', 'install', source, '--verify', '--keyring', key.keyring);
      await assertInstalled(site, version);
      assert.match(await helmOk('plugin', 'list'), /^dt .*\bsigned\b/m);
      await uninstall(site);
    }
    await carryOver(named);
    assert.match(
      (await helm('plugin', 'install', named, '--keyring', key.keyring)).stderr,
      /sha256 sum does not match/,
    );
  });

  // What is in a package makes no difference to a registry.
  for (const registry of kind === STAND_IN ? [EMBEDDED, DISTRIBUTION_2, DISTRIBUTION_3] : [DISTRIBUTION_3]) {
    test(`Helm 4 installs ${kind.name} from ${registry.name}, verified, carries a chart, and upgrades it`, async (t) => {
      const site = await openPluginSite(t, 'helm4', kind.env);
      const key = site === undefined ? undefined : await createSigningKey(t, site.sandbox);
      if (site === undefined || key === undefined) return;
      if (registry.tool !== undefined && requireTool(t, registry.tool) === undefined) return;
      const store = await registry.start();
      t.after(async () => store.close());
      const { sandbox, helmOk } = site;
      const first = await kind.create(t, sandbox.work);
      if (first === undefined) return;
      const next = await createStandIn(sandbox.work, { version: NEXT_VERSION });
      for (const file of [first.named, next]) {
        await signPackage(file, { key: key.secretKey });
        await sandbox.runOk(['plugin', 'push', file, `oci://${store.host}/tools`, '--json']);
      }
      const install = async (tag: string): Promise<string> =>
        helmOk('plugin', 'install', `oci://${store.host}/tools/dt:${tag}`, '--plain-http', '--keyring', key.keyring);
      assert.match(await install(`${first.version}-${first.platform}`), /Signed by: Test Signer/);
      await assertInstalled(site, first.version);
      await carryChart(t, site);
      await uninstall(site);
      await install(`${NEXT_VERSION}-linux-x64`);
      await assertInstalled(site, NEXT_VERSION);
      await uninstall(site);
    });
  }
}

/** Another byte in the archive that is still an archive: one that gzip does not check. */
async function carryOver(path: string): Promise<void> {
  const bytes = await readFile(path);
  const operatingSystemOffset = 9;
  bytes.writeUInt8(bytes.readUInt8(operatingSystemOffset) ^ 1, operatingSystemOffset);
  await writeFile(path, bytes);
}

for (const tool of HELM_TOOLS) {
  test(`${tool}: nothing is written into the folder of the plugin, which may be read-only`, async (t) => {
    const site = await openPluginSite(t, tool);
    if (site === undefined) return;
    const folder = await unpackPackage(await createStandIn(site.sandbox.work), site.sandbox.home);
    const listFiles = async (): Promise<string[]> => (await readdir(folder, { recursive: true })).sort();
    await site.helmOk('plugin', 'install', folder);
    const shipped = await listFiles();
    await chmod(folder, 0o555);
    await carryChart(t, site);
    assert.deepEqual(await listFiles(), shipped);
  });

  test(`${tool}: a package for another machine says so in its first line, and leaves the other plugins alone`, async (t) => {
    const site = await openPluginSite(t, tool);
    if (site === undefined) return;
    const { plugins, helm, helmOk } = site;
    const other = join(plugins, 'other');
    await mkdir(other, { recursive: true });
    await writeFile(
      join(other, 'plugin.yaml'),
      'name: other\nversion: 1.0.0\nusage: x\ncommand: cat ${HELM_PLUGIN_DIR}/plugin.yaml\n',
    );
    const folder = await unpackPackage(
      await createStandIn(site.sandbox.work, { program: '\u007fELF of another machine' }),
      site.sandbox.home,
    );
    await helmOk('plugin', 'install', folder);
    const { code, stderr } = await helm('dt', 'version');
    assert.notEqual(code, 0);
    assert.match(stderr, /exec format error/);
    assert.match(await helmOk('other'), /name: other/);
    await uninstall(site);
  });
}
