import assert from 'node:assert/strict';
import { copyFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { HELM_TOOLS } from '../support/helm.ts';
import { assertInstalls, install, INSTALL_SCRIPT, listPlugins, listVersion } from '../support/install-script.ts';
import { createStandIn, STAND_IN_VERSION, unpackPackage } from '../support/plugin-packages.ts';
import { openPluginSite, type PluginSite } from '../support/plugin-site.ts';

const OLD_VERSION = '9.0.0';
/** A program that does not start. */
const BROKEN = '#!/bin/sh\necho "not on this machine" >&2\nexit 1\n';

/** Another plugin under the name of ours, as the Go tool has it. */
async function addOther({ plugins }: PluginSite): Promise<string> {
  const folder = join(plugins, "it's another");
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'plugin.yaml'),
    'name: "dt" # the other\nversion: 0.4.0\nusage: x\ncommand: cat /dev/null\n',
  );
  return folder;
}

for (const tool of HELM_TOOLS) {
  test(`install.sh: ${tool} keeps the old plugin when the new one does not run`, async (t) => {
    const site = await openPluginSite(t, tool);
    if (site === undefined) return;
    const { sandbox, helmOk } = site;
    await assertInstalls(site, await createStandIn(sandbox.work, { version: OLD_VERSION }));
    const refused: readonly (readonly [string, string, RegExp])[] = [
      [
        'broken',
        await createStandIn(join(sandbox.work, '1'), { program: BROKEN }),
        /does not run on this machine .*\n.*not on this/,
      ],
      [
        'foreign',
        await createStandIn(join(sandbox.work, '2'), { platform: 'darwin-arm64' }),
        /is for another platform: this machine is linux-/,
      ],
      [
        'other',
        await createStandIn(join(sandbox.work, '3'), { pluginFile: 'name: x\nversion: 1.0.0\n' }),
        /is no package of the plugin dt/,
      ],
      // Runs by itself, but not in this Helm.
      [
        'unknown to Helm',
        await createStandIn(join(sandbox.work, '4'), { pluginFile: 'apiVersion: v9\nname: dt\nversion: 1.0.0\n' }),
        /Helm cannot run the plugin; nothing was changed/,
      ],
      ['missing', join(sandbox.work, 'nothing'), /there is no .*nothing/],
    ];
    for (const [situation, source, message] of refused) {
      const { code, stderr } = await install(site, source);
      assert.equal(code, 1, situation);
      assert.match(stderr, message, situation);
      assert.equal(await listVersion(site), OLD_VERSION, situation);
      assert.deepEqual(await listPlugins(site), ['dt'], situation);
      await helmOk('dt', 'version');
    }
  });

  test(`install.sh: ${tool} and another plugin called dt`, async (t) => {
    const site = await openPluginSite(t, tool);
    if (site === undefined) return;
    const { sandbox, helm } = site;
    const other = await addOther(site);
    const archive = await createStandIn(sandbox.work);
    const refused = await install(site, archive);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /another plugin claims the name "dt"; remove it first:\n/);
    assert.equal(await listVersion(site), '0.4.0');

    // What happens to those who do not ask: no plugin is left, and Helm cannot remove any.
    const folder = await unpackPackage(archive, sandbox.home);
    await helm('plugin', 'install', folder);
    for (const args of [
      ['plugin', 'list'],
      ['plugin', 'uninstall', 'dt'],
      ['dt', 'version'],
    ]) {
      assert.notEqual((await helm(...args)).code, 0, args.join(' '));
    }
    const { stderr } = await install(site, archive);
    const command = stderr.split('\n')[1] ?? '';
    assert.match(command, /^ +rm -rf /);
    await sandbox.runOk(['-c', command], { command: '/bin/sh' });
    await assertInstalls(site, archive);
    assert.equal(await listVersion(site), STAND_IN_VERSION);
    assert.ok(!(await listPlugins(site)).includes(basename(other)));
  });
}

test('install.sh: what a killed run has left is put right', async (t) => {
  const site = await openPluginSite(t, 'helm4');
  if (site === undefined) return;
  const { sandbox, plugins, env } = site;
  await assertInstalls(site, await createStandIn(sandbox.work, { version: OLD_VERSION }));
  const assertRestored = async ({ stderr }: { readonly stderr: string }): Promise<void> => {
    assert.match(stderr, /^dt: there is no nothing\n$/);
    assert.equal(await listVersion(site), OLD_VERSION);
    assert.deepEqual(await listPlugins(site), ['dt']);
  };
  // No process has a number as large as this one.
  await mkdir(join(plugins, '.dt-install.99999999'));
  await rename(join(plugins, 'dt'), join(plugins, '.dt-install.99999999', 'old'));
  await assertRestored(await install(site, 'nothing'));

  // Of the killed run in another container this one has the number.
  const reuse = 'cd "$1" && mkdir .dt-install.$$ && mv dt .dt-install.$$/old && exec "$2" nothing';
  await assertRestored(await sandbox.run(['-c', reuse, 'sh', plugins, INSTALL_SCRIPT], { command: '/bin/sh', env }));

  const living = join(plugins, `.dt-install.${String(process.pid)}`);
  await mkdir(living);
  await rename(join(plugins, 'dt'), join(living, 'old'));
  const { stderr } = await install(site, 'nothing');
  const [, command = ''] = /^dt: another install\.sh is at work .*\n.*: (mv .*)\n$/.exec(stderr) ?? [];
  await sandbox.runOk(['-c', command], { command: '/bin/sh', env });
  await assertRestored(await install(site, 'nothing'));
});

test('install.sh: a package may have any file name', async (t) => {
  const site = await openPluginSite(t, 'helm4');
  if (site === undefined) return;
  const { sandbox } = site;
  const archive = await createStandIn(sandbox.work);
  for (const name of ['host:package.tgz', `${basename(archive, '.tgz')} (1).tgz`]) {
    await copyFile(archive, join(sandbox.work, name));
    await assertInstalls(site, name);
  }
});

test('install.sh: a plugin folder that cannot be written, and a Helm that is not there, are one line', async (t) => {
  const site = await openPluginSite(t, 'helm4');
  if (site === undefined) return;
  const { sandbox, env } = site;
  const archive = await createStandIn(sandbox.work);
  await symlink('/proc/1', join(sandbox.home, 'closed'));
  const closed = { ...env, HELM_PLUGINS: join(sandbox.home, 'closed') };
  const refused = await sandbox.run([archive], { command: INSTALL_SCRIPT, env: closed });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^dt: cannot write to the plugins of Helm: .*\n.*HELM_PLUGINS/);
  assert.match((await install(site, '--helm', '/nowhere/helm', archive)).stderr, /^dt: cannot run \/nowhere\/helm\n/);
  assert.equal((await install(site)).code, 2);
  assert.equal((await install(site, '--unknown')).code, 2);
  assert.match((await install(site, '--help')).stdout, /^usage: install\.sh/);
});
