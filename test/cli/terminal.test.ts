import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pushShopImages, SHOP_IMAGES, writeShopChart } from '../support/charts.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startProxiedRegistry } from '../support/proxied-registry.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { DT_PATH } from '../support/run-cli.ts';
import { skipLoudly } from '../support/skip-loudly.ts';
import { hasTerminal, openTerminal, type Terminal } from '../support/terminal.ts';

const GOLDEN_FOLDER = join(import.meta.dirname, '..', 'golden', 'terminal');
const LAYER_BYTES = 2_000_000;
/** So that the three images are on their way for some seconds. */
const BYTES_PER_SECOND = 1_000_000;

async function runSlowly(
  t: TestContext,
  { columns, args, env = {} }: { columns: number; args: string; env?: Record<string, string> },
): Promise<{ terminal: Terminal; host: string } | undefined> {
  if (!(await hasTerminal())) {
    skipLoudly(t, 'there is no tmux on PATH');
    return undefined;
  }
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startFaultProxy);
  await pushShopImages(registry.host, LAYER_BYTES);
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  proxy.play({ bytesPerSecond: BYTES_PER_SECOND });
  const terminal = await openTerminal(t, {
    columns,
    cwd: sandbox.work,
    env: { ...sandbox.env, HELM_BIN: undefined, PATH: '/usr/bin:/bin', DT_NODE: process.execPath, ...env },
    command: `${DT_PATH} ${args}`,
  });
  return { terminal, host: proxy.host };
}

/** The screen without what differs from run to run. `UPDATE_GOLDEN=1` writes the file. */
async function assertScreen(name: string, screen: string, host: string): Promise<void> {
  const text = `${screen
    .replaceAll(host, '127.0.0.1:PORT')
    .replaceAll(/…\S*\/(team|library)\//g, '…/$1/')
    .replaceAll(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/gu, '⠋')
    .replaceAll(/: (?:\d of 3 done, )?[\d.]+ (?:%|[kM]?B).*$/gm, ': PROGRESS')
    .replaceAll(/[\d.]+ (?:m?s|min)\b/g, 'TIME')
    .replaceAll(/\d+\.\d [kM]B/g, 'SIZE')}\n`;
  const path = join(GOLDEN_FOLDER, `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, text);
  assert.equal(text, await readFile(path, 'utf8'));
}

for (const columns of [80, 40]) {
  test(`the live view at ${String(columns)} columns, while images come and at its end`, async (t) => {
    const run = await runSlowly(t, { columns, args: 'wrap shop' });
    if (run === undefined) return;
    const { terminal, host } = run;
    const running = await terminal.waitFor(
      columns === 80
        ? /Pulling: 0 of 3 done, [\d.]+ MB of 14\.0 MB(?:.*\n)+(?:.* MB of .*\n){3}/
        : /Pulling: .+\n(?:.*(?::7|api:1\.0|debian)\n){3}/,
    );
    for (const line of running.split('\n')) assert.ok(line.length <= columns, line);
    await assertScreen(`live-${String(columns)}`, running, host);
    const ended = await terminal.waitForEnd();
    assert.match(ended, /^exit 0$/m);
    assert.ok(!/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/u.test(ended), ended);
    await assertScreen(`live-${String(columns)}-end`, ended, host);
  });
}

test('an interrupted live view leaves nothing over', async (t) => {
  const run = await runSlowly(t, { columns: 80, args: 'wrap shop' });
  if (run === undefined) return;
  const { terminal, host } = run;
  await terminal.waitFor(/Pulling: .*MB of.*\n[^]*--compat/);
  await terminal.press('C-c');
  const ended = await terminal.waitForEnd();
  assert.match(ended, /^exit 130$/m);
  assert.ok(!/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/u.test(ended), ended);
  await assertScreen('interrupted-80', ended, host);
});

test('in CI one line for each event', async (t) => {
  const run = await runSlowly(t, { columns: 80, args: 'wrap shop', env: { CI: 'true' } });
  if (run === undefined) return;
  const { terminal, host } = run;
  const ended = await terminal.waitForEnd();
  for (const { repository } of SHOP_IMAGES) assert.match(ended, new RegExp(`^ +127.*${repository}.*B$`, 'm'));
  // The order in which images are complete is that of the network.
  const lines = ended.split('\n');
  const sorted = lines.map((line) => (/^ +127\.0\.0\.1/.test(line) ? (line.split(':')[0] ?? '') : line));
  await assertScreen('ci-80', sorted.join('\n'), host);
});
