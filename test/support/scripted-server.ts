import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { digestOf, type Digest } from '../../src/domain/oci/digest.ts';
import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import {
  MEDIA_TYPE_OCI_CONFIG,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_LAYER_GZIP,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../src/domain/oci/media-types.ts';
import type { KeyPair } from './certificates.ts';

export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ScriptedServer {
  /** `ADDRESS:PORT`. */
  readonly host: string;
  readonly requests: readonly RecordedRequest[];
  close(): Promise<void>;
}

export type ScriptedHandler = (request: RecordedRequest, response: ServerResponse, host: string) => void;

export interface ScriptedServerOptions {
  /** Default `127.0.0.1`. */
  readonly address?: string;
  /** Speak TLS with this certificate. */
  readonly tls?: KeyPair;
}

/** A server that answers what a test wants; HTTP is real, nothing else is. */
export async function startScriptedServer(
  handle: ScriptedHandler,
  { address = '127.0.0.1', tls }: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
  const requests: RecordedRequest[] = [];
  let host = '';
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(incoming);
    const request = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body };
    requests.push(request);
    handle(request, response, host);
  };
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined);
    answer(incoming, response).catch(() => response.destroy());
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ cert: readFileSync(tls.certificate), key: readFileSync(tls.key) }, listener);
  server.listen(0, address);
  await once(server, 'listening');
  host = `${address}:${String((server.address() as AddressInfo).port)}`;
  return {
    host,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The same, and it goes away with the test. */
export async function useScriptedServer(
  t: TestContext,
  ...args: Parameters<typeof startScriptedServer>
): Promise<ScriptedServer> {
  const server = await startScriptedServer(...args);
  t.after(async () => server.close());
  return server;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  document: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(document));
}

/** Content of a repository by digest, and by tag. */
export interface RepositoryContent {
  readonly manifests: Map<string, { readonly bytes: Buffer; readonly mediaType: string }>;
  readonly blobs: Map<string, Buffer>;
}

/** A single-platform image as `1.0`, with what a test may want to bend. */
export function createContent(
  layers: readonly Buffer[] = [Buffer.from('layer one')],
): RepositoryContent & { readonly manifest: Descriptor; readonly layers: readonly Descriptor[] } {
  const content: RepositoryContent = { manifests: new Map(), blobs: new Map() };
  const config = addBlob(content, Buffer.from('{"os":"linux","architecture":"amd64"}'), MEDIA_TYPE_OCI_CONFIG);
  const layerDescriptors = layers.map((bytes) => addBlob(content, bytes, MEDIA_TYPE_OCI_LAYER_GZIP));
  const document = { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_MANIFEST, config, layers: layerDescriptors };
  const manifest = addManifest(content, document, MEDIA_TYPE_OCI_MANIFEST, '1.0');
  return { ...content, manifest, layers: layerDescriptors };
}

export function addBlob(content: RepositoryContent, bytes: Buffer, mediaType: string): Descriptor {
  const digest = digestOf(bytes);
  content.blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}

export function addManifest(
  content: RepositoryContent,
  document: unknown,
  mediaType: string,
  tag?: string,
): Descriptor {
  const bytes = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
  const digest: Digest = digestOf(bytes);
  content.manifests.set(digest, { bytes, mediaType });
  if (tag !== undefined) content.manifests.set(tag, { bytes, mediaType });
  return { mediaType, digest, size: bytes.length };
}

export function addIndex(content: RepositoryContent, children: readonly unknown[], tag?: string): Descriptor {
  return addManifest(
    content,
    { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests: children },
    MEDIA_TYPE_OCI_INDEX,
    tag,
  );
}

/** Answers reads as a registry does. */
export function serveContent(
  content: RepositoryContent,
  { method, url }: RecordedRequest,
  response: ServerResponse,
): void {
  const [, kind = '', name = ''] = /^\/v2\/.+\/(manifests|blobs)\/([^/?]+)$/.exec(url) ?? [];
  const found = kind === 'manifests' ? content.manifests.get(name) : undefined;
  const bytes = kind === 'blobs' ? content.blobs.get(name) : found?.bytes;
  if (url === '/v2/') sendJson(response, 200, {});
  else if (bytes === undefined) sendJson(response, 404, { errors: [{ code: 'NOT_FOUND', message: 'not found' }] });
  else {
    response.writeHead(200, {
      'content-type': found?.mediaType ?? 'application/octet-stream',
      'content-length': String(bytes.length),
      'docker-content-digest': digestOf(bytes),
    });
    response.end(method === 'HEAD' ? undefined : bytes);
  }
}
