import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { systemErrorCode } from '../../../src/domain/errors.ts';
import { flakyNetwork, FaultPlan, type Fault } from '../../support/fault-plan.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { pushBlob, randomBytesOf } from '../../support/images.ts';
import { startEmbeddedRegistry } from '../../support/registries.ts';
import { countResentBytes } from '../../support/traffic.ts';

const BLOB = randomBytesOf('blob', 200_000);
const DIGEST = digestOf(BLOB);

test('passes everything on as it is, and counts it', async (t) => {
  const { proxy, host } = await prepare(t);
  assert.ok((await read(proxy)).equals(BLOB));
  assert.ok((await read(proxy)).equals(BLOB));
  assert.equal(proxy.traffic.fetchedBytes, 2 * BLOB.length);
  assert.equal(proxy.traffic.refetchedBytes, BLOB.length);
  assert.ok(proxy.openConnections > 0);
  await pushBlob(proxy.host, 'second', BLOB, '');
  assert.equal(proxy.traffic.sentBytes, BLOB.length);
  assert.equal(await countResentBytes(proxy.traffic, host), 0);
});

for (const [fault, code] of [
  [{ kind: 'reset', side: 'answer' }, 'ECONNRESET'],
  [{ kind: 'reset', side: 'request' }, 'ECONNRESET'],
  [{ kind: 'cut' }, 'UND_ERR_SOCKET'],
] as const) {
  test(`breaks a connection: ${JSON.stringify(fault)}`, async (t) => {
    const { proxy } = await prepare(t);
    playOnce(proxy, fault);
    await assert.rejects(read(proxy), (error: Error) => {
      assert.equal(systemErrorCode(error.cause), code);
      return true;
    });
    assert.ok((await read(proxy)).equals(BLOB));
    assert.equal(proxy.traffic.tries, 2);
  });
}

test('refuses connections for a moment', async (t) => {
  const { proxy } = await prepare(t);
  playOnce(proxy, { kind: 'refuse', forMs: 300 });
  const codes = new Set<string | undefined>();
  let bytes: Buffer | undefined;
  while (bytes === undefined) {
    bytes = await read(proxy).catch((error: unknown) => {
      codes.add(systemErrorCode((error as Error).cause));
      return undefined;
    });
    await sleep(20);
  }
  assert.deepEqual(codes, new Set(['ECONNRESET', 'ECONNREFUSED']));
  assert.ok(bytes.equals(BLOB));
});

test('shortens and falsifies bodies', async (t) => {
  const { proxy } = await prepare(t);
  playOnce(proxy, { kind: 'shorten' });
  const short = await read(proxy);
  assert.ok(short.length < BLOB.length && short.equals(BLOB.subarray(0, short.length)));
  playOnce(proxy, { kind: 'flip', side: 'answer' });
  const falsified = await read(proxy);
  assert.equal([...falsified].filter((byte, index) => byte !== BLOB[index]).length, 1);
});

test('the same seed gives the same faults', () => {
  const draw = (seed: number): string => {
    const plan = new FaultPlan(flakyNetwork(0.3), seed);
    return JSON.stringify(Array.from({ length: 100 }, () => plan.choose('GET', '/v2/') ?? null));
  };
  assert.equal(draw(1), draw(1));
  assert.notEqual(draw(1), draw(2));
});

async function prepare(t: TestContext): Promise<{ proxy: FaultProxy; host: string }> {
  const registry = await startEmbeddedRegistry();
  const proxy = await startFaultProxy(registry.host);
  t.after(async () => {
    await proxy.close();
    await registry.close();
  });
  await pushBlob(registry.host, 'first', BLOB, '');
  return { proxy, host: registry.host };
}

function playOnce(proxy: FaultProxy, fault: Fault): void {
  proxy.play({ rules: [{ faults: [fault], nth: [1] }] });
}

async function read(proxy: FaultProxy): Promise<Buffer> {
  const response = await fetch(`http://${proxy.host}/v2/first/blobs/${DIGEST}`);
  return Buffer.from(await response.arrayBuffer());
}
