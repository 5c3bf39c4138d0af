import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { packArchive } from '../support/archives.ts';
import { NO_HELM } from '../support/discovery-site.ts';
import { GOLDEN_ROOT } from '../support/golden.ts';
import { basicAuthorization, pushImage } from '../support/images.ts';
import { startEmbeddedRegistry, TEST_CREDENTIALS } from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { OUTCOMES } from './error-outcomes.ts';

test('every line of the error table', async (t) => {
  const sandbox = await createSandbox(t);
  const startRegistry = async (auth = false): Promise<string> => {
    const registry = await startEmbeddedRegistry({ auth });
    t.after(async () => registry.close());
    return registry.host;
  };
  const [source, target, closed] = [await startRegistry(), await startRegistry(), await startRegistry(true)];
  await pushImage(source, 'team/app:1');
  await pushImage(closed, 'team/app:1', { authorization: basicAuthorization(TEST_CREDENTIALS) });
  await writeInput(sandbox, source, closed);
  const golden = join(GOLDEN_ROOT, 'dt-unwrap/errors-corrupt/input');
  const places = { SOURCE: source, TARGET: target, CLOSED: closed, GOLDEN: golden, EMPTY: '' };
  for (const { commands, exit, code, hint } of OUTCOMES) {
    for (const [situation, command] of commands) {
      await t.test(`${situation}: ${command}`, async () => {
        const written = await readdir(sandbox.work, { recursive: true });
        const args = command.split(' ').map((word) => replacePlaces(word, places));
        const result = await sandbox.run(args, { env: { HELM_BIN: NO_HELM } });
        assert.equal(result.code, exit, result.stderr);
        const [, hints = '', found] = /\n(?:Try:\n((?: {2}.*\n)+))?Code: (\w+)\n$/.exec(result.stderr) ?? [];
        assert.equal(found, code, result.stderr);
        assert.match(hints, hint, result.stderr);
        assert.equal(result.stdout, '');
        assert.ok(!result.stderr.includes(TEST_CREDENTIALS.password));
        assert.deepEqual(await sandbox.listTemporary(), []);
        assert.deepEqual(await readdir(sandbox.work, { recursive: true }), written);
      });
    }
  }
});

test('a group without a subcommand is explained, and so is the program', async (t) => {
  const sandbox = await createSandbox(t);
  for (const args of [[], ['images'], ['charts', '--help']]) assert.match(await sandbox.runOk(args), /USAGE/);
});

test('without a terminal and --yes nothing is pushed, and the program ends', async (t) => {
  const sandbox = await createSandbox(t);
  const [source, target] = [await startEmbeddedRegistry(), await startEmbeddedRegistry()];
  t.after(async () => Promise.all([source.close(), target.close()]));
  await pushImage(source.host, 'team/app:1');
  await writeInput(sandbox, source.host, source.host);
  const { code, stdout, stderr } = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /--yes.*\n$/);
  assert.deepEqual(
    target.requests.filter((request) => request.startsWith('PUT ')),
    [],
  );
});

function replacePlaces(word: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((text, [name, value]) => text.replace(name, value), word);
}

/** Charts and files that the rows name. */
async function writeInput(sandbox: Sandbox, source: string, closed: string): Promise<void> {
  const at = (path: string): string => join(sandbox.work, path);
  const lock = (digest: string): string =>
    `apiVersion: v0\nkind: ImagesLock\nimages:\n  - {name: x, chart: chart, image: "${source}/team/app:1", digests: [{digest: "sha256:${digest}", arch: linux/amd64}]}\n`;
  const charts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    good: { 'Chart.yaml': chartYaml(`${source}/team/app:1`) },
    gone: { 'Chart.yaml': chartYaml(`${source}/team/app:2`) },
    closed: { 'Chart.yaml': chartYaml(`${closed}/team/app:1`) },
    dead: { 'Chart.yaml': chartYaml('127.0.0.1:9/team/app:1') },
    'bad-reference': { 'Chart.yaml': chartYaml('http://UPPER') },
    'no-list': { 'Chart.yaml': `${CHART}annotations: {images: "a: b"}\n` },
    'bad-lock': { 'Chart.yaml': chartYaml(`${source}/team/app:1`), 'Images.lock': '@: [' },
    'wrong-lock': { 'Chart.yaml': chartYaml(`${source}/team/app:1`), 'Images.lock': lock('0'.repeat(64)) },
    empty: { 'values.yaml': '' },
  };
  for (const [name, files] of Object.entries(charts)) {
    await mkdir(at(name));
    for (const [path, text] of Object.entries(files)) await writeFile(at(join(name, path)), text);
  }
  await writeFile(at('text.tgz'), 'no archive');
  await writeFile(at('chart.tgz'), await packArchive({ 'chart/Chart.yaml': CHART }));
  await sandbox.runOk(['wrap', 'good', '--output-file', 'w.tgz', '--declared-only']);
  const wrap = await readFile(at('w.tgz'));
  await writeFile(at('cut.tgz'), wrap.subarray(0, wrap.length / 2));
}

const CHART = 'apiVersion: v2\nname: chart\nversion: 1.0.0\n';

function chartYaml(image: string): string {
  return `${CHART}annotations:\n  images: |\n    - {name: x, image: "${image}"}\n`;
}
