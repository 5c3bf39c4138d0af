import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RegistryProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `METHOD PATH` of every request so far. */
  readonly requests: string[];
  /** Blobs, by digest, of which half is sent and the rest never; an upload of one is never answered. */
  stallBlob: (digest: string) => boolean;
  /** Blobs, by digest, that come with one byte changed. */
  damageBlob: (digest: string) => boolean;
  /** Answers a request with an error document of its own, and keeps it from the registry. */
  refuse: (method: string, path: string) => { readonly status: number; readonly body: unknown } | undefined;
  /** Called when a blob was sent whole (to the client or to the registry), or stalled. */
  onBlob: (digest: string, outcome: 'sent' | 'stalled') => void;
  close(): Promise<void>;
}

const UPLOAD_DIGEST = /\/blobs\/uploads\/.*[?&]digest=(sha256(?::|%3A)[0-9a-f]{64})/;
const BLOB_PATH = /\/blobs\/(sha256:[0-9a-f]{64})$/;

export interface RegistryProxyOptions {
  /** Put into requests that read, so that a registry with a password can be read by anybody. */
  readonly readAuthorization?: string;
}

/** A plain HTTP proxy in front of a registry that can be told to misbehave. */
export async function startRegistryProxy(
  upstream: string,
  { readAuthorization }: RegistryProxyOptions = {},
): Promise<RegistryProxy> {
  const [hostname, port] = upstream.split(':');
  const requests: string[] = [];
  const server = createServer((incoming, response) => {
    requests.push(`${incoming.method ?? ''} ${incoming.url ?? ''}`);
    const { method, url: path } = incoming;
    const isRead = method === 'GET' || method === 'HEAD';
    const headers =
      readAuthorization === undefined || !isRead
        ? incoming.headers
        : { ...incoming.headers, authorization: readAuthorization };
    const refusal = proxy.refuse(method ?? '', path ?? '');
    if (refusal !== undefined) {
      incoming.resume();
      response.writeHead(refusal.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(refusal.body));
      return;
    }
    const uploaded = method === 'PUT' ? UPLOAD_DIGEST.exec(path ?? '')?.[1]?.replace('%3A', ':') : undefined;
    if (uploaded !== undefined && proxy.stallBlob(uploaded)) {
      proxy.onBlob(uploaded, 'stalled');
      incoming.resume();
      return;
    }
    const outgoing = request({ hostname, port, method, path, headers }, (answer) => {
      if (uploaded !== undefined && answer.statusCode === 201) proxy.onBlob(uploaded, 'sent');
      void relay(proxy, incoming, answer, response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: RegistryProxy = {
    host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    requests,
    stallBlob: () => false,
    damageBlob: () => false,
    refuse: () => undefined,
    onBlob: () => undefined,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

async function relay(
  proxy: RegistryProxy,
  incoming: IncomingMessage,
  answer: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const digest = BLOB_PATH.exec(incoming.url ?? '')?.[1];
  response.on('error', () => undefined);
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  if (digest === undefined || incoming.method !== 'GET') {
    answer.pipe(response);
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (proxy.damageBlob(digest)) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  if (proxy.stallBlob(digest)) {
    response.write(bytes.subarray(0, bytes.length >> 1));
    proxy.onBlob(digest, 'stalled');
    return;
  }
  response.end(bytes, () => {
    proxy.onBlob(digest, 'sent');
  });
}
