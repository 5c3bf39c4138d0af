import { Agent as HttpAgent, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { pipeline, Readable } from 'node:stream';
import got, { RequestError, type Request } from 'got';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';

/** Bytes of an error answer or a small document that are kept. */
export const MAX_SMALL_BODY_BYTES = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 15_000;
/** A connection on which nothing moves for this long is given up. */
const IDLE_TIMEOUT_MS = 60_000;
const MAX_SOCKETS_PER_HOST = 16;
const MAX_REDIRECTS = 5;

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream needs a `content-length` header. */
  readonly body?: Uint8Array | Readable | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpStreamResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The final URL, after redirects. */
  readonly url: URL;
  /** The caller consumes or destroys it. */
  readonly body: Readable;
}

export interface HttpResponse extends Omit<HttpStreamResponse, 'body'> {
  readonly body: Buffer;
}

export interface HttpOptions {
  readonly userAgent: string;
  /** Accept any certificate. */
  readonly isInsecure: boolean;
  /** Called once per answered request; the URL may hold secrets until it is redacted. */
  readonly onRequest?: ((line: { method: string; url: URL; status: number; durationMs: number }) => void) | undefined;
}

/** HTTP without any knowledge of registries: connections kept alive, time limits on idleness, bodies as they are. */
export interface HttpClient {
  /**
   * Resolves when the headers have come. Never throws for a status; DT_REGISTRY_UNREACHABLE when there is no answer. A
   * streamed body that fails rejects with its own error.
   */
  stream(request: HttpRequest): Promise<HttpStreamResponse>;
  /** The same with the body read to its end; a body over the limit is DT_LIMIT_EXCEEDED. */
  send(request: HttpRequest, limitBytes?: number): Promise<HttpResponse>;
}

export function createHttpClient(options: HttpOptions): HttpClient {
  const agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST }),
  };
  const client = got.extend({
    agent: agents,
    headers: { 'user-agent': options.userAgent, 'accept-encoding': 'identity' },
    decompress: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    maxRedirects: MAX_REDIRECTS,
    https: { rejectUnauthorized: !options.isInsecure },
    timeout: { connect: CONNECT_TIMEOUT_MS, secureConnect: CONNECT_TIMEOUT_MS, socket: IDLE_TIMEOUT_MS },
  });

  function open(request: HttpRequest): Request {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    return client.stream(request.url, {
      method: request.method,
      headers: {
        ...(request.body instanceof Uint8Array ? { 'content-length': String(request.body.length) } : {}),
        ...request.headers,
      },
      followRedirect: isRead,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  }

  async function stream(request: HttpRequest): Promise<HttpStreamResponse> {
    if (request.signal?.aborted === true) throw interruptionError(request.signal);
    const startedAt = performance.now();
    const body = open(request);
    const source = sendBody(body, request);
    const response = await new Promise<{ statusCode: number; headers: IncomingHttpHeaders; url: string }>(
      (resolve, reject) => {
        body.once('response', resolve);
        body.once('error', (error) => {
          reject(source.error ?? toTransportError(error, request));
        });
      },
    );
    options.onRequest?.({
      method: request.method,
      url: request.url,
      status: response.statusCode,
      durationMs: performance.now() - startedAt,
    });
    return { status: response.statusCode, headers: response.headers, url: new URL(response.url), body };
  }

  return {
    stream,
    async send(request, limitBytes = MAX_SMALL_BODY_BYTES) {
      const { body, ...response } = await stream(request);
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      try {
        for await (const chunk of body as AsyncIterable<Buffer>) {
          sizeBytes += chunk.length;
          if (sizeBytes > limitBytes) {
            throw new DtError(
              'DT_LIMIT_EXCEEDED',
              `${request.url.host} answered with more than ${String(limitBytes)} bytes`,
            );
          }
          chunks.push(chunk);
        }
      } catch (error) {
        throw toTransportError(error, request);
      }
      return { ...response, body: Buffer.concat(chunks) };
    },
  };
}

/**
 * The body goes in here and not as an option: for that got looks at the kind of the body, which loads all of `fetch`. got
 * ends the writable side by itself only for methods without a body. Returns where the failure of a streamed body is kept:
 * its own, not the one that it is destroyed with when the request fails.
 */
function sendBody(target: Request, { method, body }: HttpRequest): { error?: Error } {
  const source: { error?: Error } = {};
  if (body instanceof Readable) {
    if (body.errored !== null) source.error = body.errored;
    body.on('error', (error) => {
      if (!target.destroyed) source.error = error;
    });
    pipeline(body, target, () => {
      // A failure of either side ends the request, which tells its reader.
    });
  } else if (body !== undefined) target.end(body);
  else if (method !== 'GET' && method !== 'HEAD') target.end();
  return source;
}

/** True if the other side does not speak TLS at all: the answer of a plain HTTP server to a TLS greeting. */
export function isTlsProtocolError(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = systemErrorCode(current) ?? '';
    if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code === 'ECONNRESET') return true;
  }
  return false;
}

/** Words a failure of the connection itself. Errors of ours and interruptions pass through. */
export function toTransportError(error: unknown, request: Pick<HttpRequest, 'method' | 'url' | 'signal'>): Error {
  if (error instanceof DtError) return error;
  if (request.signal?.aborted === true) return interruptionError(request.signal);
  const cause = error instanceof RequestError && error.cause instanceof Error ? error.cause : error;
  return new DtError('DT_REGISTRY_UNREACHABLE', `cannot reach ${request.url.host}: ${describeFailure(cause)}`, {
    cause: error,
  });
}

function interruptionError(signal: AbortSignal): Error {
  return signal.reason instanceof DtError
    ? signal.reason
    : new DtError('DT_INTERRUPTED', 'interrupted', { cause: signal.reason });
}

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'no route to the host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
};

function describeFailure(error: unknown): string {
  return FAILURES[systemErrorCode(error) ?? ''] ?? errorMessage(error).replaceAll(/\s+/g, ' ');
}
