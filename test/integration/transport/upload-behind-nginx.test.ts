import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { RegistryStore } from '../../../src/content/registry-store.ts';
import type { Descriptor } from '../../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import type { RequestRecord } from '../../../src/transport/http/request-record.ts';
import { createRegistryClients } from '../../../src/transport/registry-clients.ts';
import { startNginx } from '../../support/nginx.ts';
import { createRandom } from '../../support/random.ts';
import {
  startDistribution2,
  startDistribution3,
  startEmbeddedRegistry,
  type TestRegistry,
} from '../../support/registries.ts';
import { requireTool } from '../../support/tools.ts';

const REGISTRIES: Readonly<
  Record<string, readonly ['registry2' | 'registry3' | undefined, () => Promise<TestRegistry>]>
> = {
  'distribution 2': ['registry2', startDistribution2],
  'distribution 3': ['registry3', startDistribution3],
  'our own registry': [undefined, startEmbeddedRegistry],
};

for (const [name, [tool, start]] of Object.entries(REGISTRIES)) {
  test(`blobs over the limit of a proxy arrive in ${name}`, async (t) => {
    if (requireTool(t, 'nginx') === undefined || (tool !== undefined && requireTool(t, tool) === undefined)) return;
    const registry = await start();
    t.after(async () => registry.close());
    const nginx = await startNginx({ upstream: registry.host, maxBodySize: '1m' });
    t.after(async () => nginx.close());
    const records: RequestRecord[] = [];
    const clients = await createRegistryClients({
      userAgent: 'test',
      insecure: false,
      usePlainHttp: true,
      environment: { HOME: '/nonexistent' },
      onRequest: (record) => records.push(record),
    });
    const store = new RegistryStore(clients.forRegistry(nginx.host), 'team/app');
    const random = createRandom(7);
    for (const sizeBytes of [3_500_000, 2_000_000, 1000]) {
      const bytes = random.bytes(sizeBytes);
      const descriptor: Descriptor = {
        mediaType: 'application/octet-stream',
        digest: digestOf(bytes),
        size: sizeBytes,
      };
      const open = (): Promise<Readable> => Promise.resolve(Readable.from([bytes], { objectMode: false }));
      assert.equal(await store.writeBlob(descriptor, open), 'written');
      assert.ok((await buffer(await store.openBlob(descriptor))).equals(bytes));
    }
    const pieces = records.filter(({ method, status }) => method === 'PATCH' && status === 202);
    assert.ok(pieces.length >= 5, 'both large blobs went in pieces');
    assert.ok(pieces.every(({ sentBytes }) => sentBytes <= 1024 * 1024));
    const refused = records.filter(({ method, status }) => method === 'PUT' && status !== 201);
    assert.ok(refused.length <= 2, 'the limit is remembered');
  });
}
