import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS } from '../../src/commands/index.ts';
import { DT_PATH, runCli } from '../support/run-cli.ts';

const UNDER_HELM = { HELM_PLUGIN_NAME: 'dt', HELM_PLUGIN_DIR: '/plugins/dt' };

test('version prints one line, and one document with --json', async () => {
  const plain = await runCli(['version']);
  assert.deepEqual([plain.code, plain.stderr], [0, '']);
  assert.match(plain.stdout, /^[^\n]*\d+\.\d+\.\d+\n$/);
  const json = await runCli(['version', '--json']);
  assert.equal(json.code, 0);
  assert.equal(typeof (JSON.parse(json.stdout) as { version: unknown }).version, 'string');
  assert.equal((await runCli(['--version'])).stdout, plain.stdout);
});

test('every command has help with an example in the name under which it runs', async () => {
  for (const id of Object.keys(COMMANDS)) {
    const words = id.split(':');
    const alone = await runCli([...words, '--help']);
    assert.deepEqual([alone.code, alone.stderr], [0, ''], id);
    assert.match(alone.stdout, new RegExp(`\\$ dt ${words.join(' ')}\\b`), id);
    const underHelm = await runCli([...words, '-h'], { env: UNDER_HELM });
    assert.match(underHelm.stdout, new RegExp(`EXAMPLES\\n +(?:.*\\n\\n +)?\\$ helm dt ${words.join(' ')}\\b`), id);
    assert.doesNotMatch(underHelm.stdout, /\$ dt /, id);
  }
});

test('without a command the program explains itself', async () => {
  for (const args of [[], ['--help'], ['-h'], ['help']]) {
    const { code, stdout, stderr } = await runCli(args);
    assert.deepEqual([code, stderr], [0, ''], args.join(' '));
    assert.match(stdout, /COMMANDS[^]*version/);
  }
});

test('wrong usage is exit code 2 with what was meant', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['versoin'], /"version"/],
    [['version', '--plian'], /--plain/],
    [['version', 'extra'], /"extra"/],
    [['version', '--plain=maybe'], /--plain/],
    [['version', '--log-level'], /log-level/],
    [['--nothing', 'version'], /--nothing/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await runCli(args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, expected);
    assert.match(stderr, /^Error: [^]*\nCode: DT_USAGE\n$/);
  }
});

test('a missing argument is not taken from standard input', async () => {
  const { code, stderr } = await runCli(['wrap'], { stdin: './chart\n' });
  assert.equal(code, 2);
  assert.match(stderr, /CHART/);
});

test('flags may be written as the users of the Go tool do', async () => {
  for (const args of [
    ['--plain', 'version'],
    ['version', '--plain=true'],
    ['version', '--insecure=false', '--insecure=registry.example.com:5000'],
    ['--log-level', 'debug', 'version'],
    ['version', '--debug', '--registry-config', '/dev/null'],
  ]) {
    assert.equal((await runCli(args)).code, 0, args.join(' '));
  }
});

test('an unknown log level is a warning, as in the Go tool', async () => {
  const { code, stderr } = await runCli(['version', '--log-level', 'loud']);
  assert.equal(code, 0);
  assert.match(stderr, /loud/);
});

test('with --json an error is a document on standard output', async () => {
  const { code, stdout, stderr } = await runCli(['version', '--json', '--nothing'], { env: UNDER_HELM });
  assert.equal(code, 2);
  const { error } = JSON.parse(stdout) as { error: { code: string; exitCode: number; hints: string[] } };
  assert.deepEqual([error.code, error.exitCode, error.hints], ['DT_USAGE', 2, ['helm dt version --help']]);
  assert.match(stderr, /Code: DT_USAGE/);
});

test('a reader that stops early ends the program quietly', async () => {
  // The reader of the second pipe is gone before the program writes.
  const script = 'set -eo pipefail; "$0" wrap --help | head -1; { sleep 0.3; "$0" wrap --help; } | true';
  const shell = spawn('bash', ['-c', script, DT_PATH], { stdio: ['ignore', 'ignore', 'pipe'] });
  const chunks: Buffer[] = [];
  shell.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((resolve) => shell.on('close', resolve));
  assert.deepEqual([code, Buffer.concat(chunks).toString()], [0, '']);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends a command that waits for a registry: exit code 130`, async (t) => {
    const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connected = once(server, 'connection');
    const chart = `oci://127.0.0.1:${String(port)}/charts/app`;
    const child = spawn(DT_PATH, ['wrap', chart, '--version', '1.0.0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    const chunks: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    await connected;
    child.kill(signal);
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 130);
    assert.match(Buffer.concat(chunks).toString(), /Code: DT_INTERRUPTED\n$/);
  });
}

test('the launcher works through links and from folders with blanks, and names what is missing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dt shell '));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const link = join(folder, 'a link');
  await symlink(DT_PATH, join(folder, 'first'));
  await symlink('first', link);
  assert.equal((await runCli(['version'], { command: link, cwd: folder })).code, 0);

  const copy = join(folder, 'a copy', 'bin', 'dt');
  await mkdir(join(folder, 'a copy', 'bin'), { recursive: true });
  await cp(DT_PATH, copy);
  const unbuilt = await runCli(['version'], { command: copy });
  assert.deepEqual([unbuilt.code, unbuilt.stderr.trimEnd().split('\n').length], [1, 1]);

  await cp(join(DT_PATH, '..', '..', 'dist'), join(folder, 'a copy', 'dist'), { recursive: true });
  const withNode = await runCli(['version'], { command: copy, env: { DT_NODE: process.execPath } });
  assert.equal(withNode.code, 0);
  const tools = join(folder, 'tools');
  await mkdir(tools);
  for (const name of ['dirname', 'readlink']) await symlink(`/usr/bin/${name}`, join(tools, name));
  const withoutNode = await runCli(['version'], { command: copy, env: { PATH: tools } });
  assert.deepEqual([withoutNode.code, withoutNode.stderr.trimEnd().split('\n').length], [1, 1]);
  assert.match(withoutNode.stderr, /DT_NODE/);
  await writeFile(join(tools, 'node'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  assert.equal((await runCli(['version'], { command: copy, env: { PATH: tools } })).code, 1);
});

test('--quiet leaves only what was asked for', async () => {
  const loud = await runCli(['auth', 'logout', 'registry.example.com'], { env: { DOCKER_CONFIG: '/nonexistent' } });
  assert.deepEqual([loud.code, loud.stdout.includes('registry.example.com')], [0, true]);
  for (const flag of ['--quiet', '-q']) {
    const quiet = await runCli(['auth', 'logout', 'registry.example.com', flag], {
      env: { DOCKER_CONFIG: '/nonexistent' },
    });
    assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, '', '']);
  }
  assert.match((await runCli(['version', '--quiet'])).stdout, /\d+\.\d+\.\d+/);
});
