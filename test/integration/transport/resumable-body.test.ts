import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import type { ServerResponse } from 'node:http';
import { RegistryStore } from '../../../src/content/registry-store.ts';
import type { Descriptor } from '../../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { RegistryClient } from '../../../src/transport/registry-client.ts';
import { createTestHttpClient, QUICK_RETRIES } from '../../support/http.ts';
import { sendJson, startScriptedServer, type RecordedRequest } from '../../support/scripted-server.ts';

const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, position) => position % 251));
const BLOB: Descriptor = { mediaType: 'application/octet-stream', digest: digestOf(BYTES), size: BYTES.length };

/** Serves the blob as the n-th answer (from 1) wants it; `offset` is the start of the range asked for. */
type Answer = (response: ServerResponse, offset: number, count: number) => void;

interface OpenedDownload {
  /** The `Range` headers in the order of the requests. */
  readonly ranges: (string | undefined)[];
  readonly body: Readable;
}

interface Download extends Pick<OpenedDownload, 'ranges'> {
  readonly bytes: Promise<Buffer>;
}

async function download(...args: Parameters<typeof openDownload>): Promise<Download> {
  const { ranges, body } = await openDownload(...args);
  return { ranges, bytes: buffer(body) };
}

async function openDownload(
  t: TestContext,
  answer: Answer,
  retries: number = QUICK_RETRIES.retries,
): Promise<OpenedDownload> {
  const ranges: (string | undefined)[] = [];
  const server = await startScriptedServer((request: RecordedRequest, response) => {
    if (request.url === '/v2/') {
      sendJson(response, 200, {});
      return;
    }
    ranges.push(request.headers.range);
    answer(response, Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0), ranges.length);
  });
  t.after(async () => server.close());
  const http = await createTestHttpClient({ retryPolicy: { ...QUICK_RETRIES, retries } });
  const client = new RegistryClient(server.host, {
    http,
    credentials: () => Promise.resolve(undefined),
    usePlainHttp: true,
    allowPlainHttp: false,
  });
  return { ranges, body: await new RegistryStore(client, 'a/b').openBlob(BLOB) };
}

/** Promises all that is left from the offset on, and after some bytes of it cuts the connection or says no more. */
function sendPart(response: ServerResponse, offset: number, sizeBytes: number, isCut = true): void {
  writeHead(response, offset);
  response.write(BYTES.subarray(offset, offset + sizeBytes), () => {
    if (isCut) setTimeout(() => response.destroy(), 10);
  });
}

function sendRest(response: ServerResponse, offset: number): void {
  writeHead(response, offset);
  response.end(BYTES.subarray(offset));
}

function writeHead(response: ServerResponse, offset: number): void {
  const length = String(BYTES.length - offset);
  if (offset === 0) response.writeHead(200, { 'content-length': length });
  else {
    const range = `bytes ${String(offset)}-${String(BYTES.length - 1)}/${String(BYTES.length)}`;
    response.writeHead(206, { 'content-length': length, 'content-range': range });
  }
}

test('a broken download goes on where it stopped', async (t) => {
  const { ranges, bytes } = await download(t, (response, offset, count) => {
    if (count < 3) sendPart(response, offset, 300);
    else sendRest(response, offset);
  });
  assert.deepEqual(await bytes, BYTES);
  assert.deepEqual(ranges, [undefined, 'bytes=300-', 'bytes=600-']);
});

test('a registry without ranges sends all again, and what came is skipped', async (t) => {
  const { ranges, bytes } = await download(t, (response, _offset, count) => {
    if (count === 1) sendPart(response, 0, 700);
    else sendRest(response, 0);
  });
  assert.deepEqual(await bytes, BYTES);
  assert.equal(ranges.length, 2);
});

test('an answer from another offset than the one asked for is not used', async (t) => {
  const { ranges, bytes } = await download(t, (response, offset, count) => {
    if (count === 1) sendPart(response, 0, 300);
    else sendRest(response, offset === 0 ? 0 : offset + 1);
  });
  assert.deepEqual(await bytes, BYTES);
  assert.deepEqual(ranges, [undefined, 'bytes=300-', undefined]);
});

test('an answer that ends before the size of the blob is completed', async (t) => {
  const { ranges, bytes } = await download(t, (response, offset, count) => {
    if (count === 1) response.end(BYTES.subarray(0, 400));
    else sendRest(response, offset);
  });
  assert.deepEqual(await bytes, BYTES);
  assert.deepEqual(ranges, [undefined, 'bytes=400-']);
});

test('a blob that is shorter in the registry ends short, for its reader to refuse', async (t) => {
  const short = BYTES.subarray(0, 400);
  const answers: Answer[] = [
    (response, offset) => {
      if (offset === 0) response.end(short);
      else sendJson(response, 416, {});
    },
    (response) => {
      response.end(short);
    },
  ];
  for (const answer of answers) {
    const { ranges, bytes } = await download(t, answer);
    assert.deepEqual(await bytes, short);
    assert.equal(ranges.length, 2);
  }
});

test('a registry that never gives another byte is given up', async (t) => {
  const { ranges, bytes } = await download(t, (response, offset, count) => {
    sendPart(response, offset, count === 1 ? 300 : 0);
  });
  await assert.rejects(bytes, { code: 'DT_REGISTRY_UNREACHABLE' });
  assert.equal(ranges.length, 2 + QUICK_RETRIES.retries);
});

test('tries are counted anew after every byte', async (t) => {
  const { bytes } = await download(t, (response, offset, count) => {
    sendPart(response, offset, count % 3 === 0 ? 50 : 0);
  });
  assert.deepEqual(await bytes, BYTES);
});

test('without retries nothing goes on', async (t) => {
  const { ranges, bytes } = await download(
    t,
    (response, offset) => {
      sendPart(response, offset, 300);
    },
    0,
  );
  await assert.rejects(bytes, { code: 'DT_REGISTRY_UNREACHABLE' });
  assert.equal(ranges.length, 1);
});

test('without retries an answer that is too short stays so', async (t) => {
  const { ranges, bytes } = await download(t, (response) => response.end(BYTES.subarray(0, 400)), 0);
  assert.deepEqual(await bytes, BYTES.subarray(0, 400));
  assert.equal(ranges.length, 1);
});

test('a reader that stops at the first bytes after a break ends the connection', async (t) => {
  const closed = Promise.withResolvers<undefined>();
  const { body } = await openDownload(t, (response, offset, count) => {
    sendPart(response, offset, 300, count === 1);
    if (count === 2) response.once('close', closed.resolve);
  });
  let seenBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    seenBytes += chunk.length;
    if (seenBytes > 300) break;
  }
  await closed.promise;
});

test('a refusal in the middle ends the download with that refusal', async (t) => {
  const { ranges, bytes } = await download(t, (response, offset, count) => {
    if (count === 1) sendPart(response, offset, 300);
    else sendJson(response, 404, {});
  });
  await assert.rejects(bytes, { code: 'DT_NOT_FOUND' });
  assert.deepEqual(ranges, [undefined, 'bytes=300-', undefined]);
});

for (const status of [400, 403, 404, 501]) {
  test(`a range that is refused with ${String(status)} is followed by a request for everything`, async (t) => {
    const { ranges, bytes } = await download(t, (response, offset, count) => {
      if (count === 1) sendPart(response, offset, 300);
      else if (offset > 0) sendJson(response, status, {});
      else sendRest(response, 0);
    });
    assert.deepEqual(await bytes, BYTES);
    assert.deepEqual(ranges, [undefined, 'bytes=300-', undefined]);
  });
}
