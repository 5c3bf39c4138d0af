import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PRODUCT_VERSION } from '../../../src/domain/product.ts';
import { requirePackages } from '../../support/built-packages.ts';
import { pushShopImages, SHOP_IMAGES, writeShopChart } from '../../support/charts.ts';
import { startEmbeddedRegistry } from '../../support/registries.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';

const POLL_MS = 2;
/** Time enough to look at the threads. */
const LARGE_LAYER_BYTES = 10_000_000;
const WRAP = 'shop-1.2.3.wrap.tgz';
/** What a user may call a folder. */
const AWKWARD_FOLDER = 'Pläne für Ünïcode 東京';

/** Runs a program with nothing in its environment but what is given. */
async function runBare(sandbox: Sandbox, words: readonly string[]): ReturnType<Sandbox['run']> {
  return sandbox.run(['-i', ...words], { command: 'env' });
}

/** A chart with its images in a registry of its own, and the reference of the target. */
async function prepareShop(
  sandbox: Sandbox,
  layerBytes?: number,
): Promise<{ target: string; close: () => Promise<void> }> {
  const registry = await startEmbeddedRegistry();
  await pushShopImages(registry.host, layerBytes);
  await writeShopChart(join(sandbox.work, 'shop'), registry.host);
  return { target: `oci://${registry.host}/mirror`, close: async () => registry.close() };
}

test('the executable shows its version and a wrap with an empty environment, and writes nothing', async (t) => {
  const packages = await requirePackages(t);
  if (packages === undefined) return;
  const sandbox = await createSandbox(t);
  const { close } = await prepareShop(sandbox);
  t.after(close);
  await sandbox.runOk(['wrap', 'shop']);
  const program = join(packages.executable, 'dt');
  const before = [await readdir(packages.executable), await readdir(sandbox.work)];
  for (const variables of [[], ['HOME=', 'TMPDIR=/proc/1/nowhere']]) {
    const version = await runBare(sandbox, [...variables, program, 'version']);
    assert.deepEqual([version.code, version.stderr], [0, '']);
    assert.match(version.stdout, new RegExp(`dt ${PRODUCT_VERSION}\n$`));
    const information = await runBare(sandbox, [...variables, program, 'info', join(sandbox.work, WRAP)]);
    assert.deepEqual([information.code, information.stderr], [0, '']);
    for (const { repository } of SHOP_IMAGES) assert.ok(information.stdout.includes(repository), repository);
  }
  assert.deepEqual([await readdir(packages.executable), await readdir(sandbox.work)], before);
  assert.deepEqual(await sandbox.listTemporary(), []);
});

test('the executable carries a chart from a registry to another place, from a folder with an awkward name', async (t) => {
  const packages = await requirePackages(t);
  if (packages === undefined) return;
  const sandbox = await createSandbox(t);
  const { target, close } = await prepareShop(sandbox);
  t.after(close);
  const folder = join(sandbox.work, AWKWARD_FOLDER);
  await mkdir(folder);
  const command = join(folder, 'dt');
  await copyFile(join(packages.executable, 'dt'), command);
  await cp(join(sandbox.work, 'shop'), join(folder, 'shop'), { recursive: true });
  const run = async (...args: readonly string[]): Promise<string> => sandbox.runOk(args, { command, cwd: folder });
  await run('wrap', 'shop');
  assert.match(await run('info', WRAP), /shop/);
  assert.match(await run('unwrap', WRAP, target, '--yes'), /helm install oci:\/\//);
  assert.deepEqual((await readdir(folder)).sort(), ['dt', WRAP, 'shop'].sort());
});

test('the executable writes blobs in a thread of their own', async (t) => {
  const packages = await requirePackages(t);
  if (packages === undefined) return;
  const sandbox = await createSandbox(t);
  const { close } = await prepareShop(sandbox, LARGE_LAYER_BYTES);
  t.after(close);
  const child = spawn(join(packages.executable, 'dt'), ['wrap', 'shop'], {
    cwd: sandbox.work,
    env: { ...process.env, ...sandbox.env },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit') as Promise<[number]>;
  let writtenBytes = 0;
  while (child.exitCode === null) {
    writtenBytes = Math.max(writtenBytes, await countWrittenBytes(child.pid ?? 0, 'blobs'));
    await delay(POLL_MS);
  }
  assert.equal((await ended)[0], 0);
  assert.ok(writtenBytes >= LARGE_LAYER_BYTES, `the thread wrote ${String(writtenBytes)} bytes`);
});

/** What the thread of this name has written until now. */
async function countWrittenBytes(pid: number, threadName: string): Promise<number> {
  const folder = `/proc/${String(pid)}/task`;
  const read = async (...parts: readonly string[]): Promise<string> =>
    readFile(join(folder, ...parts), 'utf8').catch(() => '');
  for (const task of await readdir(folder).catch(() => [])) {
    if ((await read(task, 'comm')).trim() !== threadName) continue;
    return Number(/^wchar: (\d+)$/m.exec(await read(task, 'io'))?.[1] ?? 0);
  }
  return 0;
}

test('settings of other Node.js programs do not reach the executable', async (t) => {
  const packages = await requirePackages(t);
  if (packages === undefined) return;
  const sandbox = await createSandbox(t);
  const env = { NODE_OPTIONS: '--require /nonexistent/module.js', HELM_PLUGIN_DIR: undefined };
  const { code, stderr } = await sandbox.run(['version'], { command: join(packages.executable, 'dt'), env });
  assert.deepEqual([code, stderr], [0, '']);
});

test('an executable whose code is damaged says so in one line', async (t) => {
  const packages = await requirePackages(t);
  if (packages === undefined) return;
  const sandbox = await createSandbox(t);
  const bytes = await readFile(join(packages.executable, 'dt'));
  // It stands in the first module of the program.
  const place = bytes.lastIndexOf('the work stopped without an end');
  assert.notEqual(place, -1);
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
  const command = join(sandbox.work, 'dt');
  await writeFile(command, bytes);
  await chmod(command, 0o755);
  const { code, stdout, stderr } = await sandbox.run(['version'], { command });
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^dt: this executable is damaged \(.*\); install its package again\n$/);
});
