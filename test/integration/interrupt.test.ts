import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { pushShopImages, writeShopChart } from '../support/charts.ts';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import type { Fault } from '../support/fault-plan.ts';
import { startProxiedRegistry } from '../support/proxied-registry.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { DT_PATH } from '../support/run-cli.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { requireTool } from '../support/tools.ts';

/** Far more than the two seconds that it may take, and far less than any wait that it must not sit out. */
const HANG_MS = 15_000;
const INTERRUPTED = 130;
const CTRL_C = '\u0003';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

/** What the program is waiting for when it is interrupted. */
const WAITS: Readonly<Record<string, Fault>> = {
  'a registry that does not answer': { kind: 'stall', side: 'answer', isWhole: true },
  'a registry that wants to be left alone': { kind: 'status', status: 429, headers: () => ({ 'retry-after': '250' }) },
  'the next try': { kind: 'status', status: 503 },
};

for (const [name, fault] of Object.entries(WAITS)) {
  for (const command of ['wrap', 'unwrap'] as const) {
    test(`Ctrl-C ends ${command} while it waits for ${name}`, { timeout: 4 * HANG_MS }, async (t) => {
      const run = await prepare(t, command, fault);
      const child = spawn(DT_PATH, run.args, run.options);
      const output = text(child.stderr);
      await run.isWaiting(child);
      child.kill('SIGINT');
      assert.equal(await endOf(child), INTERRUPTED);
      await checkEnd(await output, run.sandbox);
    });
  }
}

test('two signals at once are one interruption, which is told', { timeout: 4 * HANG_MS }, async (t) => {
  const run = await prepare(t, 'wrap', { kind: 'stall', side: 'answer', isWhole: true });
  const child = spawn(DT_PATH, run.args, run.options);
  const output = text(child.stderr);
  await run.isWaiting(child);
  child.kill('SIGINT');
  child.kill('SIGTERM');
  assert.equal(await endOf(child), INTERRUPTED);
  await checkEnd(await output, run.sandbox);
});

for (const [command, side] of [
  ['wrap', 'answer'],
  ['unwrap', 'request'],
] as const) {
  test(
    `Ctrl-C at a terminal ends ${command} while a body stands still, and gives the cursor back`,
    { timeout: 4 * HANG_MS },
    async (t) => {
      const script = requireTool(t, 'script');
      if (script === undefined) return;
      const run = await prepare(t, command, { kind: 'stall', side });
      // A terminal without a width is none.
      const line = `stty cols 100 rows 30; exec ${[DT_PATH, ...run.args].join(' ')}`;
      const child = spawn(script, ['-qec', line, '/dev/null'], run.options);
      const output = text(child.stdout);
      await run.isWaiting(child);
      child.stdin.write(CTRL_C);
      assert.equal(await endOf(child), INTERRUPTED);
      const shown = await output;
      assert.ok(shown.includes(HIDE_CURSOR), 'the display was a live one');
      assert.ok(shown.lastIndexOf(SHOW_CURSOR) > shown.lastIndexOf(HIDE_CURSOR), 'the cursor is back');
      await checkEnd(shown, run.sandbox);
    },
  );
}

test('Ctrl-C at the question of unwrap is no answer to it, and neither is a line that is typed then', async (t) => {
  const run = await prepare(t, 'unwrap', { kind: 'status', status: 500 });
  const args = [...run.args.filter((arg) => arg !== '--yes'), '--json'];
  const child = spawn(DT_PATH, args, run.options);
  t.after(() => child.kill('SIGKILL'));
  const document = text(child.stdout);
  let shown = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      if (shown.includes('[y/N] ')) resolve();
    });
    child.once('exit', () => {
      reject(new Error(`it ended without a question: ${shown}`));
    });
  });
  child.stdin.on('error', () => undefined);
  const ended = endOf(child);
  child.kill('SIGINT');
  await Promise.race([once(child.stderr, 'data'), ended]);
  child.stdin.write('y\n');
  assert.equal(await ended, INTERRUPTED);
  assert.match(shown, /\[y\/N\] \nError: /);
  await checkEnd(shown, run.sandbox);
  const { error } = JSON.parse(await document) as { readonly error: { readonly code: string } };
  assert.equal(error.code, 'DT_INTERRUPTED');
});

interface RunToInterrupt {
  readonly sandbox: Sandbox;
  readonly args: readonly string[];
  readonly options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv };
  /** Resolves when blobs are asked for and do not come. */
  isWaiting(child: ChildProcessWithoutNullStreams): Promise<void>;
}

/** A command that will meet the fault at every blob. */
async function prepare(t: TestContext, command: 'wrap' | 'unwrap', fault: Fault): Promise<RunToInterrupt> {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startFaultProxy);
  await pushShopImages(registry.host);
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'shop.tgz']);
  const where = command === 'wrap' ? { path: /\/blobs\// } : { method: 'PUT', path: /\/blobs\/uploads\// };
  proxy.play({ rules: [{ faults: [fault], ...where }] });
  const options = { cwd: sandbox.work, env: { ...process.env, ...sandbox.env, CI: undefined, TERM: 'xterm' } };
  const args =
    command === 'wrap'
      ? ['wrap', 'shop', '--output-file', 'out.tgz', '--retries', '100']
      : ['unwrap', 'shop.tgz', `${proxy.host}/mirror`, '--yes', '--retries', '100'];
  t.after(() => {
    proxy.onProgress = () => undefined;
  });
  return { sandbox, args, options, isWaiting: async (child) => waitForFault(proxy, child) };
}

async function waitForFault(proxy: FaultProxy, child: ChildProcessWithoutNullStreams): Promise<void> {
  const reached = new Promise<void>((resolve) => {
    proxy.onProgress = () => {
      if (proxy.traffic.faults.length > 0) resolve();
    };
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the command ended before it could be interrupted');
  });
  await Promise.race([reached, ended]);
  ended.catch(() => undefined);
}

async function endOf(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  return code;
}

/** It says how to go on, and nothing is left over. */
async function checkEnd(output: string, sandbox: Sandbox): Promise<void> {
  assert.match(output, /Run the same command again/);
  assert.match(output, /Code: DT_INTERRUPTED/);
  const left = (await readdir(sandbox.work)).filter((name) => name !== 'out.tgz.partial');
  assert.deepEqual(left.sort(), ['shop', 'shop.tgz']);
  assert.deepEqual(await sandbox.listTemporary(), []);
}
