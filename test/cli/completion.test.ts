import assert from 'node:assert/strict';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { REPOSITORY_ROOT } from '../../scripts/lib/run-command.ts';
import { describeCommands } from '../../src/commands/describe-commands.ts';
import { SHOP_METADATA } from '../support/charts.ts';
import { HELM_TOOLS } from '../support/helm.ts';
import { DT_PATH } from '../support/run-cli.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { skipLoudly } from '../support/skip-loudly.ts';
import { hasTerminal, openTerminal, type Terminal } from '../support/terminal.ts';
import { requireTool } from '../support/tools.ts';
import { prepareWrappedShop } from '../support/wrapped-shop.ts';

const HOSTS = { 'registry.internal:5000': {}, 'https://index.docker.io/v1/': {}, '$(touch planted)': {} };
const LOCK = `apiVersion: v0
kind: ImagesLock
chart: { name: shop, version: 1.0.0 }
images:
  - { name: web, image: "registry.internal:5000/shop/web:1.0", chart: shop, digests: [] }
`;

/** A folder with a chart, a wrap, a wrap in parts and other files, and credentials for some registries. */
async function prepareFolder(t: TestContext): Promise<Sandbox> {
  const sandbox = await createSandbox(t);
  const { work, home } = sandbox;
  await mkdir(join(work, 'shop'));
  await mkdir(join(home, '.docker'));
  for (const name of ['app-1.0.0.wrap.tgz', 'big.wrap.tgz.001', 'big.wrap.tgz.002', 'notes.txt', 'shop/Chart.yaml']) {
    await writeFile(join(work, name), '');
  }
  await writeFile(join(work, 'shop', 'values.yaml'), '');
  await writeFile(join(work, 'shop', 'Images.lock'), LOCK);
  await writeFile(join(home, '.docker', 'config.json'), JSON.stringify({ auths: HOSTS }));
  return sandbox;
}

/** What is typed behind `dt`, and the whole answer of the program. */
const ANSWERS: readonly (readonly [string, string])[] = [
  ['unwrap ', 'app-1.0.0.wrap.tgz big.wrap.tgz.001 shop/ :4'],
  ['info b', 'big.wrap.tgz.001 :4'],
  ['wrap ', 'app-1.0.0.wrap.tgz shop :4'],
  ['images lock sh', 'shop :4'],
  ['images wrap r', 'registry.internal:5000/shop/web:1.0 registry.internal:5000/ :4'],
  ['images wrap d', 'docker.io/ :6'],
  ['images pull shop --images-dir ', ':16'],
  ['charts relocate shop registry.internal/x --values ', 'values.yaml :4'],
  ['charts relocate shop registry.internal/x --map-file ', 'yaml yml json :8'],
  ['unwrap app-1.0.0.wrap.tgz ', 'oci://docker.io/ oci://registry.internal:5000/ :6'],
  ['unwrap --naming k', 'keep-path :4'],
  ['unwrap --naming=k', 'keep-path :4'],
  ['unwrap --chart-mode ', 'rewrite keep overlay :4'],
  ['wrap shop --platforms linux/amd64,linux/a', 'linux/amd64,linux/arm64 linux/amd64,linux/arm/v7 :4'],
  ['wrap --insecure=r', 'registry.internal:5000 :4'],
  ['wrap --output-file ', ':0'],
  ['unwrap --with-plugin=n', ':0'],
  ['plugin push ', ':0'],
  ['plugin push p.tgz ', 'oci://docker.io/ oci://registry.internal:5000/ :6'],
  ['auth logout ', 'docker.io registry.internal:5000 :4'],
  ['unwrap nothing.wrap.tgz --chart ', ':0'],
  ['unwrap no', ':0'],
  ['version ', ':4'],
];

/** Those of every kind that Helm has to hand over. */
const UNDER_HELM = ['unwrap ', 'wrap ', 'images wrap d', 'unwrap --naming=k', 'wrap --output-file ', 'auth logout '];

function readLines(output: string): string {
  return output.trimEnd().split('\n').join(' ');
}

test('values are completed by what is on this machine', async (t) => {
  const sandbox = await prepareFolder(t);
  for (const [line, expected] of ANSWERS) {
    const { code, stdout, stderr } = await sandbox.run(['__complete', ...line.split(' ')]);
    assert.deepEqual([code, readLines(stdout), stderr], [0, expected, ''], line);
  }
});

for (const tool of HELM_TOOLS) {
  test(`${tool} completes commands, flags and values of the plugin`, async (t) => {
    const helm = requireTool(t, tool);
    if (helm === undefined) return;
    const sandbox = await prepareFolder(t);
    await mkdir(join(sandbox.home, 'plugins'));
    await symlink(REPOSITORY_ROOT, join(sandbox.home, 'plugins', 'dt'));
    const complete = async (line: string): Promise<string> => {
      const env = { HELM_PLUGINS: join(sandbox.home, 'plugins') };
      return readLines(await sandbox.runOk(['__complete', 'dt', ...line.split(' ')], { command: helm, env }));
    };
    const names = [...new Set(describeCommands().map(({ id }) => id.split(' ', 1)[0])), 'help'];
    assert.deepEqual((await complete('')).split(' ').slice(0, -1).toSorted(), names.toSorted());
    const images = describeCommands().flatMap(({ id }) => (id.startsWith('images ') ? [id.slice(7)] : []));
    assert.deepEqual((await complete('images ')).split(' ').slice(0, -1).toSorted(), images.toSorted());
    assert.equal(await complete('wr'), 'wrap :4');
    assert.equal(await complete('wrap --pl'), '--plain --platforms :4');
    assert.equal(await complete('unwrap --ye'), '--yes :4');
    assert.equal(
      await complete('help images lo'),
      'lock\tWrite the Images.lock of a chart: the digests of all its images :4',
    );
    // The flag is Helm's own, and does not reach the plugin.
    assert.equal(await complete('unwrap -n space --naming k'), 'keep-path :4');
    for (const line of UNDER_HELM) assert.equal(await complete(line), new Map(ANSWERS).get(line), line);
  });
}

test('without Helm, flags and commands are completed with their summaries', async (t) => {
  const sandbox = await createSandbox(t);
  assert.match(await sandbox.runOk(['__complete', 'wrap', '--plat']), /^--platforms\t\S[^\n]+\n:4\n$/);
  assert.match(await sandbox.runOk(['__complete', 'images', 'lo']), /^lock\t\S[^\n]+\n:4\n$/);
  assert.equal(await sandbox.runOk(['__complete']), await sandbox.runOk(['__complete', '']));
});

test('the charts of a wrap are read from it', async (t) => {
  const { sandbox } = await prepareWrappedShop(t);
  assert.equal(await sandbox.runOk(['__complete', 'unwrap', 'w.tgz', '--chart', '']), `${SHOP_METADATA.name}\n:4\n`);
  await copyFile(join(sandbox.work, 'w.tgz'), join(sandbox.work, 'x.wrap.tgz'));
  assert.equal(await sandbox.runOk(['__complete', 'info', '--chart=s', 'x']), 'x.wrap.tgz\n:4\n');
});

test('no registry is asked', async (t) => {
  const sandbox = await createSandbox(t);
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  let connections = 0;
  server.on('connection', () => connections++);
  const place = `oci://127.0.0.1:${String((server.address() as AddressInfo).port)}/wraps/shop`;
  for (const line of [
    ['unwrap', place, '--chart', ''],
    ['unwrap', place],
    ['wrap', place],
    ['images', 'wrap', place],
  ]) {
    assert.equal(await sandbox.runOk(['__complete', ...line]), ':4\n', line.join(' '));
  }
  assert.equal(connections, 0);
});

interface ShellCase {
  readonly shell: 'bash' | 'zsh' | 'fish';
  readonly start: string;
  readonly load: string;
}

const SHELLS: readonly ShellCase[] = [
  { shell: 'bash', start: 'bash --norc', load: 'source <(dt completion bash)' },
  { shell: 'zsh', start: 'zsh -f', load: 'autoload -U compinit; compinit -u; source <(dt completion zsh)' },
  { shell: 'fish', start: 'fish --no-config', load: 'dt completion fish | source' },
];

for (const { shell, start, load } of SHELLS) {
  test(`${shell} completes in a terminal, and quotes hostile names`, async (t) => {
    if (shell !== 'bash' && requireTool(t, shell) === undefined) return;
    if (!(await hasTerminal())) {
      skipLoudly(t, 'there is no tmux on PATH');
      return;
    }
    const sandbox = await prepareFolder(t);
    await mkdir(join(sandbox.work, 'hostile'));
    await writeFile(join(sandbox.work, 'hostile', '$(touch planted).wrap.tgz'), '');
    await mkdir(join(sandbox.home, 'bin'));
    await symlink(DT_PATH, join(sandbox.home, 'bin', 'dt'));
    const path = `${join(sandbox.home, 'bin')}:${join(REPOSITORY_ROOT, '.tools', 'bin')}:/usr/bin:/bin`;
    const env = { ...sandbox.env, PATH: path, DT_NODE: process.execPath };
    const terminal = await openTerminal(t, { columns: 160, cwd: sandbox.work, env, command: start });
    await typeLine(terminal, `${load}; echo "ready "now`);
    await terminal.waitFor(/^ready now$/m);
    for (const [typed, expected] of [
      ['dt unw', /dt unwrap$/m],
      ['dt unwrap app', /dt unwrap app-1\.0\.0\.wrap\.tgz$/m],
      ['dt unwrap app-1.0.0.wrap.tgz oci:', /tgz oci:\/\/$/m],
      ['dt unwrap app-1.0.0.wrap.tgz oci://reg', /tgz oci:\/\/registry\.internal:5000\/$/m],
      ['dt unwrap --naming=ke', /dt unwrap --naming=keep-path$/m],
      ['dt wrap shop --platforms linux/amd64,linux/s', /linux\/amd64,linux\/s390x$/m],
      ['dt auth logout reg', /dt auth logout registry\.internal:5000$/m],
      ['dt info not', /dt info notes\.txt$/m],
      [
        'dt info hostile/',
        /dt info (?:hostile\/\\\$\\\(touch\\ planted\\\)\.wrap\.tgz|'hostile\/\$\(touch planted\)\.wrap\.tgz')$/m,
      ],
    ] as const) {
      await terminal.press('C-u', 'C-l');
      await terminal.press('-l', typed);
      await terminal.press('Tab');
      await terminal.waitFor(expected);
    }
  });
}

async function typeLine(terminal: Terminal, line: string): Promise<void> {
  await terminal.press('-l', line);
  await terminal.press('Enter');
}
