import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLayoutName } from '../../../src/domain/oci/image-layout.ts';
import { pushShopImages, writeShopChart } from '../../support/charts.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startProxiedRegistry } from '../../support/proxied-registry.ts';
import { startEmbeddedRegistry } from '../../support/registries.ts';
import { DT_PATH } from '../../support/run-cli.ts';

const LAYER_BYTES = 3_000_000;

test('Ctrl-C ends a pull with 130, leaves nothing half, and the next one fetches only the rest', async (t) => {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startFaultProxy);
  await pushShopImages(registry.host, LAYER_BYTES);
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  await sandbox.runOk(['images', 'lock', 'shop']);
  proxy.play({});
  const child = spawn(DT_PATH, ['images', 'pull', 'shop', '--concurrency', '1'], {
    cwd: sandbox.work,
    env: { ...process.env, ...sandbox.env },
    stdio: 'ignore',
  });
  const interruptBytes = 4 * LAYER_BYTES;
  proxy.onProgress = () => {
    if (proxy.traffic.fetchedBytes > interruptBytes) child.kill('SIGINT');
  };
  assert.deepEqual(await once(child, 'exit'), [130, null]);
  proxy.onProgress = () => undefined;
  const names = await readdir(join(sandbox.work, 'shop/images'));
  assert.ok(names.length > 0 && names.every(isLayoutName), names.join(', '));
  const before = proxy.traffic.fetchedBytes;
  await sandbox.runOk(['images', 'pull', 'shop']);
  // Ten layers in all: three whole ones at least were there.
  assert.ok(proxy.traffic.fetchedBytes - before < 8 * LAYER_BYTES, String(proxy.traffic.fetchedBytes - before));
});
