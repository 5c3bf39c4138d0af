import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushShopImages, writeShopChart } from '../support/charts.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startProxiedRegistry } from '../support/proxied-registry.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';

for (const concurrency of [1, 2]) {
  test(`--concurrency ${String(concurrency)} bounds the connections to a host, and the work is done`, async (t) => {
    const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startFaultProxy);
    await pushShopImages(registry.host);
    await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
    let mostConnections = 0;
    proxy.onProgress = () => {
      mostConnections = Math.max(mostConnections, proxy.openConnections);
    };
    const limit = ['--concurrency', String(concurrency)];
    await sandbox.runOk(['wrap', 'shop', '--output-file', 'w.tgz', ...limit]);
    await sandbox.runOk(['unwrap', 'w.tgz', `${proxy.host}/mirror`, '--yes', ...limit]);
    assert.ok(mostConnections > 0, 'the proxy was used');
    // A download and an upload may need one each.
    assert.ok(mostConnections <= 2 * concurrency, `${String(mostConnections)} connections at the same time`);
  });
}
