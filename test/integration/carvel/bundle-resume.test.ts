import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pushImage } from '../../support/images.ts';
import { startProxiedRegistry } from '../../support/proxied-registry.ts';
import { startEmbeddedRegistry } from '../../support/registries.ts';
import { startRegistryProxy, type RegistryProxy } from '../../support/registry-proxy.ts';
import { DT_PATH } from '../../support/run-cli.ts';
import type { Sandbox } from '../../support/sandbox.ts';

const LAYER_BYTES = 200_000;
/** Time for what was received to reach the file. */
const SETTLE_MS = 500;

interface TarSite {
  readonly sandbox: Sandbox;
  readonly proxy: RegistryProxy;
  readonly layers: readonly string[];
  readonly args: readonly string[];
}

async function prepare(t: TestContext): Promise<TarSite> {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startRegistryProxy);
  const { manifests } = await pushImage(registry.host, 'team/app:1', { layers: 3, layerBytes: LAYER_BYTES });
  const args = ['bundle', 'copy', '-i', `${proxy.host}/team/app:1`, '--to-tar'];
  return { sandbox, proxy, layers: manifests.flatMap(({ layers }) => layers), args };
}

function fetchedLayers({ proxy, layers }: TarSite): string[] {
  const blobs = proxy.requests.filter((line) => line.startsWith('GET ')).map((line) => line.split('/blobs/')[1] ?? '');
  return blobs.filter((digest) => layers.includes(digest));
}

async function readTars({ sandbox }: TarSite, ...names: readonly string[]): Promise<Buffer[]> {
  return Promise.all(names.map(async (name) => readFile(join(sandbox.work, name))));
}

test('a copy into a tar that was killed goes on where it stopped', async (t) => {
  const site = await prepare(t);
  const { sandbox, proxy, layers, args } = site;
  await sandbox.runOk([...args, 'whole.tar']);
  const stalled = new Set(layers.slice(layers.length >> 1));
  const sent = new Set<string>();
  const reached = new Promise<void>((resolve) => {
    proxy.onBlob = (digest, outcome) => {
      if (outcome === 'sent' && layers.includes(digest)) sent.add(digest);
      if (sent.size === layers.length - stalled.size) resolve();
    };
  });
  proxy.stallBlob = (digest) => stalled.has(digest);
  const child = spawn(DT_PATH, [...args, 'out.tar'], {
    cwd: sandbox.work,
    env: { ...process.env, ...sandbox.env },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await reached;
  await sleep(SETTLE_MS);
  child.kill('SIGKILL');
  await exited;
  proxy.stallBlob = () => false;
  assert.ok(existsSync(join(sandbox.work, 'out.tar.partial')));
  assert.ok(!existsSync(join(sandbox.work, 'out.tar')), 'nothing under the final name');
  proxy.requests.length = 0;
  await sandbox.runOk([...args, 'out.tar']);
  assert.deepEqual(new Set(fetchedLayers(site)), stalled);
  const [whole, out] = await readTars(site, 'whole.tar', 'out.tar');
  assert.ok(out !== undefined && whole?.equals(out));
  assert.deepEqual((await readdir(sandbox.work)).sort(), ['out.tar', 'whole.tar']);
});

test('a partial file that was damaged is not trusted', async (t) => {
  const site = await prepare(t);
  const { sandbox, proxy, args } = site;
  await sandbox.runOk([...args, 'whole.tar']);
  const [whole = Buffer.alloc(0)] = await readTars(site, 'whole.tar');
  const damaged = Buffer.from(whole);
  // In the last layer.
  const at = damaged.length - 10_000;
  damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
  await writeFile(join(sandbox.work, 'out.tar.partial'), damaged);
  proxy.requests.length = 0;
  await sandbox.runOk([...args, 'out.tar']);
  assert.equal(fetchedLayers(site).length, 1);
  const [out] = await readTars(site, 'out.tar');
  assert.ok(out !== undefined && whole.equals(out));
});

test('--resume takes what is right out of a tar that is cut or damaged', async (t) => {
  const site = await prepare(t);
  const { sandbox, proxy, layers, args } = site;
  await sandbox.runOk([...args, 'whole.tar']);
  const [whole = Buffer.alloc(0)] = await readTars(site, 'whole.tar');
  const cut = Buffer.from(whole.subarray(0, Math.floor(whole.length * 0.7)));
  // In the first layer, behind the table of contents.
  cut.writeUInt8(cut.readUInt8(60_000) ^ 1, 60_000);
  await writeFile(join(sandbox.work, 'out.tar'), cut);
  proxy.requests.length = 0;
  await sandbox.runOk([...args, 'out.tar', '--resume']);
  const fetched = fetchedLayers(site).length;
  assert.ok(fetched >= 2 && fetched < layers.length, `${String(fetched)} of ${String(layers.length)} layers`);
  const [out] = await readTars(site, 'out.tar');
  assert.ok(out !== undefined && whole.equals(out));
});
