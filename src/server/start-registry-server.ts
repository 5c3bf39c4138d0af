import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { systemErrorCode } from '../domain/errors.ts';
import { checkBasicAuth, type CredentialCheck } from './basic-auth.ts';
import { Exchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import {
  BLOB_CHUNK_BYTES,
  CLOSE_GRACE_MS,
  HEADERS_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_HEADER_BYTES,
  MAX_HEADER_COUNT,
} from './limits.ts';
import type { RegistryBackend } from './registry-backend.ts';
import { routeRequest } from './registry-router.ts';

const CONNECTION_ERRORS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

export interface RegistryServerOptions {
  readonly backend: RegistryBackend;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Ask every request for Basic credentials and check them. */
  readonly auth?: CredentialCheck | undefined;
  /** Take an index although some of its manifests are absent. Default false. */
  readonly acceptSparseIndexes?: boolean | undefined;
  /** Called once per request, before the head of its answer goes out. `path` is the request target with its query. */
  readonly onRequest?: ((method: string, path: string, status: number) => void) | undefined;
  /** Called with what made a request fail with 500; the client is told nothing about it. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface RegistryServer {
  /** `http://ADDRESS:PORT`. */
  readonly url: string;
  /** `ADDRESS:PORT`, as references name it. */
  readonly host: string;
  readonly port: number;
  /** Stops to listen, lets requests under way end for a moment, then cuts them. */
  close(): Promise<void>;
}

/** Starts a registry that speaks the OCI distribution API 1.1 over plain HTTP. Rejects when it cannot listen. */
export async function startRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  const context: HandlerContext = {
    backend: options.backend,
    acceptSparseIndexes: options.acceptSparseIndexes ?? false,
    busyUploads: new Set(),
  };
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Large uploads over slow lines are legitimate; the idle timeout ends the dead ones.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    highWaterMark: BLOB_CHUNK_BYTES,
  });
  server.maxHeadersCount = MAX_HEADER_COUNT;
  server.timeout = IDLE_TIMEOUT_MS;
  server.on('request', (request, response) => {
    const exchange = new Exchange(request, response, (status) => {
      options.onRequest?.(exchange.method, request.url ?? '', status);
    });
    void answerRequest(context, exchange, options);
  });
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');

  const { address, family, port } = server.address() as AddressInfo;
  const host = `${family === 'IPv6' ? `[${address}]` : address}:${String(port)}`;
  return { url: `http://${host}`, host, port, close: () => closeServer(server) };
}

async function answerRequest(
  context: HandlerContext,
  exchange: Exchange,
  options: RegistryServerOptions,
): Promise<void> {
  try {
    if (options.auth !== undefined && !(await checkBasicAuth(exchange, options.auth))) return;
    await routeRequest(context, exchange);
  } catch (error) {
    // A client that went away is no failure of ours, and there is nobody to tell.
    if (exchange.isClientGone && CONNECTION_ERRORS.has(systemErrorCode(error) ?? '')) return;
    options.onError?.(error);
    if (exchange.isAnswered) exchange.abort();
    else exchange.fail('UNKNOWN', 'the registry failed');
  }
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, CLOSE_GRACE_MS);
  await closed;
  clearTimeout(timer);
}
