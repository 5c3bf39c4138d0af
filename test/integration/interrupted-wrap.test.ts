import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pushShopImages, writeShopChart } from '../support/charts.ts';
import { withoutGenerationTime } from '../support/golden.ts';
import { startProxiedRegistry } from '../support/proxied-registry.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { readArchiveFiles } from '../support/archives.ts';
import { startRegistryProxy, type RegistryProxy } from '../support/registry-proxy.ts';
import { DT_PATH } from '../support/run-cli.ts';
import type { Sandbox } from '../support/sandbox.ts';

const LARGE_BYTES = 200_000;
const OUTPUT = 'out.wrap.tgz';
const EPOCH = { SOURCE_DATE_EPOCH: '1700000000' };
/** Time for what was received to reach the file. */
const SETTLE_MS = 500;

for (const [name, env] of [
  ['with', EPOCH],
  ['without', {}],
] as const) {
  test(`a wrap that was killed goes on where it stopped, ${name} SOURCE_DATE_EPOCH`, async (t) => {
    const { sandbox, proxy, large } = await prepare(t);
    const finished = await killMidway(sandbox, proxy, large, env);
    assert.ok(finished.size > 0 && finished.size < large.size);
    assert.ok(existsSync(join(sandbox.work, `${OUTPUT}.partial`)));
    assert.ok(existsSync(join(sandbox.work, `${OUTPUT}.partial.lock`)), 'the lock of the killed run is there');
    assert.ok(!existsSync(join(sandbox.work, OUTPUT)), 'nothing under the final name');

    proxy.requests.length = 0;
    await sandbox.runOk(['wrap', 'shop', '--output-file', OUTPUT], { env });
    assert.deepEqual(
      new Set(fetchedBlobs(proxy, large)),
      new Set([...large].filter((digest) => !finished.has(digest))),
    );
    assert.equal(fetchedBlobs(proxy, large).length, large.size - finished.size);
    const blobs = proxy.requests.filter((line) => /^GET .*\/blobs\//.test(line));
    assert.equal(blobs.length, large.size - finished.size, 'what is small lies in the partial file');
    assert.deepEqual((await readdir(sandbox.work)).sort(), [OUTPUT, 'shop']);

    await sandbox.runOk(['wrap', 'shop', '--output-file', 'undisturbed.tgz'], { env });
    if (name === 'with') {
      const [resumed, undisturbed] = await Promise.all(
        [OUTPUT, 'undisturbed.tgz'].map(async (file) => readFile(join(sandbox.work, file))),
      );
      assert.ok(resumed?.equals(undisturbed ?? Buffer.alloc(0)));
    } else {
      const [resumed, undisturbed] = await Promise.all(
        [OUTPUT, 'undisturbed.tgz'].map(async (file) => readComparable(sandbox, file)),
      );
      assert.deepEqual(resumed, undisturbed);
    }
  });
}

test('a partial file that was damaged is not trusted', async (t) => {
  const { sandbox, proxy, large } = await prepare(t);
  const finished = await killMidway(sandbox, proxy, large, EPOCH);
  const path = join(sandbox.work, `${OUTPUT}.partial`);
  const bytes = await readFile(path);
  // Somewhere in the large blobs, which fill nearly the whole file.
  for (let at = 100_000; at < bytes.length; at += 150_000) bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
  proxy.requests.length = 0;
  await sandbox.runOk(['wrap', 'shop', '--output-file', OUTPUT], { env: EPOCH });
  assert.ok(fetchedBlobs(proxy, large).length > large.size - finished.size);
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'undisturbed.tgz'], { env: EPOCH });
  const [resumed, undisturbed] = await Promise.all(
    [OUTPUT, 'undisturbed.tgz'].map(async (file) => readFile(join(sandbox.work, file))),
  );
  assert.ok(resumed?.equals(undisturbed ?? Buffer.alloc(0)));
});

test('a partial file of another chart is started over', async (t) => {
  const { sandbox, proxy, large } = await prepare(t);
  await killMidway(sandbox, proxy, large, EPOCH);
  await writeFile(join(sandbox.work, 'shop/templates/new.yaml'), '# new\n');
  await sandbox.runOk(['wrap', 'shop', '--output-file', OUTPUT], { env: EPOCH });
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'undisturbed.tgz'], { env: EPOCH });
  const [again, undisturbed] = await Promise.all(
    [OUTPUT, 'undisturbed.tgz'].map(async (file) => readFile(join(sandbox.work, file))),
  );
  assert.ok(again?.equals(undisturbed ?? Buffer.alloc(0)));
});

test('a second run on the same output is refused while the first one works', async (t) => {
  const { sandbox, proxy, large } = await prepare(t);
  const run = await startStalled(sandbox, proxy, large, EPOCH);
  t.after(() => run.child.kill('SIGKILL'));
  proxy.stallBlob = () => false;
  const second = await sandbox.run(['wrap', 'shop', '--output-file', OUTPUT], { env: EPOCH });
  assert.equal(second.code, 1);
  assert.match(second.stderr, /Code: DT_OUTPUT_BUSY/);
  assert.equal(run.child.exitCode, null, 'the first run goes on');
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'other.tgz'], { env: EPOCH });
});

test('a lock of a process that is gone does not stand in the way', async (t) => {
  const { sandbox, proxy, large } = await prepare(t);
  await killMidway(sandbox, proxy, large, EPOCH);
  const lock = join(sandbox.work, `${OUTPUT}.partial.lock`);
  // The same process number, but of a process that started at another time.
  const owner = JSON.parse(await readFile(lock, 'utf8')) as Record<string, unknown>;
  await writeFile(lock, JSON.stringify({ ...owner, pid: process.pid, startedAt: '1' }));
  await sandbox.runOk(['wrap', 'shop', '--output-file', OUTPUT], { env: EPOCH });
  // A lock that says nothing, because its process died before it could; not as young as one that is being written.
  await writeFile(lock, '');
  await utimes(lock, 0, 0);
  await sandbox.runOk(['wrap', 'shop', '--output-file', OUTPUT], { env: EPOCH });
  assert.deepEqual((await readdir(sandbox.work)).sort(), [OUTPUT, 'shop']);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends a wrap with 130 and leaves only what the next run can use`, async (t) => {
    const { sandbox, proxy, large } = await prepare(t);
    const { child } = await startStalled(sandbox, proxy, large, EPOCH);
    child.kill(signal);
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.equal(code, 130);
    assert.deepEqual((await readdir(sandbox.work)).sort(), [`${OUTPUT}.partial`, 'shop']);
    assert.deepEqual(await sandbox.listTemporary(), []);
  });
}

interface Prepared {
  readonly sandbox: Sandbox;
  readonly proxy: RegistryProxy;
  /** The layers: everything that has a place of its own in the wrap. */
  readonly large: ReadonlySet<string>;
}

async function prepare(t: TestContext): Promise<Prepared> {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startRegistryProxy);
  const pushed = await pushShopImages(registry.host, LARGE_BYTES);
  const large = new Set([...pushed.values()].flatMap(({ manifests }) => manifests.flatMap(({ layers }) => layers)));
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  return { sandbox, proxy, large };
}

/** Starts a wrap that gets half of the layers whole, and the others never. */
async function startStalled(
  sandbox: Sandbox,
  proxy: RegistryProxy,
  large: ReadonlySet<string>,
  env: Readonly<Record<string, string>>,
): Promise<{ child: ChildProcess; sent: ReadonlySet<string> }> {
  const stalled = new Set([...large].slice(large.size >> 1));
  const sent = new Set<string>();
  const reached = new Promise<void>((resolve) => {
    let stalledCount = 0;
    proxy.onBlob = (digest, outcome) => {
      if (outcome === 'sent' && large.has(digest)) sent.add(digest);
      if (outcome === 'stalled') stalledCount += 1;
      if (stalledCount > 0 && sent.size === large.size - stalled.size) resolve();
    };
  });
  proxy.stallBlob = (digest) => stalled.has(digest);
  const child = spawn(DT_PATH, ['wrap', 'shop', '--output-file', OUTPUT], {
    cwd: sandbox.work,
    env: { ...process.env, ...sandbox.env, ...env },
    stdio: 'ignore',
  });
  await Promise.race([
    reached,
    once(child, 'exit').then(() => {
      throw new Error('the wrap ended before it could be interrupted');
    }),
  ]);
  await sleep(SETTLE_MS);
  return { child, sent };
}

/** Kills a wrap in the middle and returns the layers that it had got. */
async function killMidway(
  sandbox: Sandbox,
  proxy: RegistryProxy,
  large: ReadonlySet<string>,
  env: Readonly<Record<string, string>>,
): Promise<ReadonlySet<string>> {
  const { child, sent } = await startStalled(sandbox, proxy, large, env);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  proxy.stallBlob = () => false;
  proxy.onBlob = () => undefined;
  return sent;
}

function fetchedBlobs(proxy: RegistryProxy, large: ReadonlySet<string>): string[] {
  return proxy.requests
    .filter((request) => request.startsWith('GET '))
    .map((request) => request.split('/blobs/')[1] ?? '')
    .filter((digest) => large.has(digest));
}

async function readComparable(sandbox: Sandbox, file: string): Promise<[string, string][]> {
  const files = await readArchiveFiles(join(sandbox.work, file));
  return [...files]
    .filter(([name]) => name !== '.dt/toc.json')
    .map(([name, bytes]) => [
      name,
      name === 'chart/Images.lock' ? withoutGenerationTime(bytes.toString()) : bytes.toString('base64'),
    ]);
}
