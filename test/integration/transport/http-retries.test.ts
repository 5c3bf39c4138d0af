import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import type { HttpClient } from '../../../src/transport/http/http-client.ts';
import type { RequestRecord } from '../../../src/transport/http/request-record.ts';
import { createTestHttpClient, QUICK_RETRIES } from '../../support/http.ts';
import { startScriptedServer, type ScriptedServer } from '../../support/scripted-server.ts';

interface Attempts {
  readonly client: HttpClient;
  readonly url: URL;
  readonly server: ScriptedServer;
  readonly records: RequestRecord[];
}

/** A server that answers the n-th request (from 1) with what `answer` does. */
async function start(t: TestContext, answer: (response: ServerResponse, count: number) => void): Promise<Attempts> {
  const server = await startScriptedServer((_request, response) => {
    answer(response, server.requests.length);
  });
  t.after(async () => server.close());
  const records: RequestRecord[] = [];
  const client = await createTestHttpClient({ idleTimeoutMs: 300, onRequest: (record) => records.push(record) });
  return { client, url: new URL(`http://${server.host}/x`), server, records };
}

for (const status of [408, 425, 429, 500, 502, 503, 504]) {
  test(`an answer ${String(status)} is followed by another try`, async (t) => {
    const { client, url, server, records } = await start(t, (response, count) => {
      response.writeHead(count < 3 ? status : 200).end('body');
    });
    const answer = await client.send({ method: 'GET', url });
    assert.deepEqual([answer.status, answer.body.toString(), server.requests.length], [200, 'body', 3]);
    assert.deepEqual(
      records.map((record) => [record.status, record.tryNumber]),
      [
        [status, 1],
        [status, 2],
        [200, 3],
      ],
    );
  });
}

test('the last answer is given when it stays', async (t) => {
  const { client, url, server } = await start(t, (response) => response.writeHead(503).end('still'));
  const answer = await client.send({ method: 'GET', url });
  assert.deepEqual([answer.status, answer.body.toString()], [503, 'still']);
  assert.equal(server.requests.length, 1 + QUICK_RETRIES.retries);
});

for (const status of [400, 401, 404, 409, 501]) {
  test(`an answer ${String(status)} is final`, async (t) => {
    const { client, url, server } = await start(t, (response) => response.writeHead(status).end());
    assert.equal((await client.send({ method: 'GET', url })).status, status);
    assert.equal(server.requests.length, 1);
  });
}

for (const [what, breakOff] of [
  ['is cut before its head', (response: ServerResponse) => response.destroy()],
  [
    'is cut in its body',
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('five!', () => setTimeout(() => response.destroy(), 5));
    },
  ],
  ['never comes', () => undefined],
  [
    'stands still in its body',
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('five!');
    },
  ],
] as const) {
  test(`an answer that ${what} is followed by another try`, async (t) => {
    const { client, url, server } = await start(t, (response, count) => {
      if (count < 3) breakOff(response);
      else response.end('whole');
    });
    assert.equal((await client.send({ method: 'GET', url })).body.toString(), 'whole');
    assert.equal(server.requests.length, 3);
  });
}

test('bytes are sent again with every try, a stream never', async (t) => {
  const { client, url, server } = await start(t, (response, count) =>
    response.writeHead(count === 1 ? 500 : 200).end(),
  );
  assert.equal((await client.send({ method: 'PUT', url, body: Buffer.from('content') })).status, 200);
  assert.deepEqual(
    server.requests.map(({ body }) => body.toString()),
    ['content', 'content'],
  );
});

test('who tries again by itself gets the first answer', async (t) => {
  const { client, url, server } = await start(t, (response) => response.writeHead(500).end());
  assert.equal((await client.send({ method: 'GET', url, isSingleTry: true })).status, 500);
  assert.equal(server.requests.length, 1);
});

test('a host that asks for time gets it, from all requests', async (t) => {
  const times: number[] = [];
  const { url } = await start(t, (response, count) => {
    times.push(Date.now());
    response.writeHead(count === 1 ? 429 : 200, count === 1 ? { 'retry-after': '1' } : {}).end();
  });
  const asked = Promise.withResolvers<unknown>();
  const client = await createTestHttpClient({
    // What follows the record of a request is done in the same turn.
    onRequest: () => setImmediate(asked.resolve, undefined),
  });
  await Promise.all([
    client.send({ method: 'GET', url }),
    asked.promise.then(async () => client.send({ method: 'GET', url })),
  ]);
  assert.equal(times.length, 3);
  // Timers of two clocks may differ by a few milliseconds.
  assert.ok(
    times.slice(1).every((time) => time - (times[0] ?? 0) >= 950),
    times.join(' '),
  );
});

test('a wait that is noticed is told once', async (t) => {
  const pauses: (readonly [string, number])[] = [];
  const { url } = await start(t, (response) => {
    response.writeHead(429, { 'retry-after': '2' }).end();
  });
  const interruption = new AbortController();
  let answers = 0;
  const client = await createTestHttpClient({
    onPause: (host, waitMs) => pauses.push([host, waitMs]),
    onRequest: () => {
      answers++;
      // What follows the record of a request is done in the same turn.
      if (answers < 2) return;
      setImmediate(() => {
        interruption.abort();
      });
    },
  });
  const requests = [1, 2].map(async () => client.send({ method: 'GET', url, signal: interruption.signal }));
  for (const request of requests) await assert.rejects(request, { code: 'DT_INTERRUPTED' });
  assert.deepEqual(pauses, [[url.host, 2000]]);
});

test('a host that asks for an hour is not waited for', async (t) => {
  const { client, url, server } = await start(t, (response) =>
    response.writeHead(429, { 'retry-after': '3600' }).end('later'),
  );
  const answer = await client.send({ method: 'GET', url });
  assert.deepEqual([answer.status, server.requests.length], [429, 1]);
});

test('a host that never answered is given up early', async () => {
  const records: RequestRecord[] = [];
  const retryPolicy = { ...QUICK_RETRIES, retries: 9 };
  const client = await createTestHttpClient({ retryPolicy, onRequest: (record) => records.push(record) });
  await assert.rejects(client.send({ method: 'GET', url: new URL('http://127.0.0.1:1/') }), {
    code: 'DT_REGISTRY_UNREACHABLE',
    isTransient: false,
  });
  assert.equal(records.length, 3);
});

test('a name that does not exist is not looked up twice', async () => {
  const records: RequestRecord[] = [];
  const client = await createTestHttpClient({ onRequest: (record) => records.push(record) });
  await assert.rejects(client.send({ method: 'GET', url: new URL('http://registry.invalid/') }), {
    code: 'DT_REGISTRY_UNREACHABLE',
  });
  assert.deepEqual(
    records.map(({ status }) => status),
    [undefined],
  );
});
