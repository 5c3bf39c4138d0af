import type { IncomingHttpHeaders } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import got, { type Request } from 'got';
import { DtError } from '../domain/errors.ts';
import type { Connections } from './connections.ts';
import { interruptionError, isConnectFailure, toTransportError } from './http-errors.ts';
import { isTransientStatus, MAX_RETRY_AFTER_MS, parseRetryAfter, retryTransient, type RetryPolicy } from './retry.ts';

/** Bytes of an error answer or a small document that are kept. */
export const MAX_SMALL_BODY_BYTES = 1024 * 1024;
/** A connection on which nothing moves for this long is given up. */
export const DEFAULT_IDLE_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 15_000;
const MAX_REDIRECTS = 5;
/** A host that has never answered is more likely misspelt than busy. */
const MAX_FIRST_CONTACT_TRIES = 3;

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream needs a `content-length` header, and is sent once. */
  readonly body?: Uint8Array | Readable | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Do not try again, whatever happens. */
  readonly isSingleTry?: boolean;
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

/** One request that has ended, well or not. */
export interface RequestRecord {
  readonly method: string;
  /** May hold secrets until it is redacted. */
  readonly url: URL;
  /** Undefined if no answer came. */
  readonly status: number | undefined;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationMs: number;
  /** From 1. */
  readonly tryNumber: number;
  /** What broke the request or its body. */
  readonly failure: string | undefined;
}

export interface HttpOptions {
  readonly userAgent: string;
  readonly connections: Connections;
  readonly retryPolicy: RetryPolicy;
  readonly idleTimeoutMs?: number | undefined;
  /** Called once per try, when its body has ended; a redirect counts as a request of its own. */
  readonly onRequest?: ((record: RequestRecord) => void) | undefined;
}

/**
 * HTTP without any knowledge of registries: connections kept alive, time limits on idleness, bodies as they are. What fails
 * for the moment is tried again, as the policy and `Retry-After` say, unless the body is a stream.
 */
export interface HttpClient {
  readonly retryPolicy: RetryPolicy;
  /**
   * Resolves when the headers have come. Never throws for a status; DT_REGISTRY_UNREACHABLE when there is no answer. A
   * streamed body that fails rejects with its own error.
   */
  stream(request: HttpRequest): Promise<HttpStreamResponse>;
  /** The same with the body read to its end; a body over the limit is DT_LIMIT_EXCEEDED. */
  send(request: HttpRequest, limitBytes?: number): Promise<HttpResponse>;
}

export function createHttpClient(options: HttpOptions): HttpClient {
  const { retryPolicy, connections } = options;
  const hosts = new HostStates();
  const client = got.extend({
    headers: { 'user-agent': options.userAgent, 'accept-encoding': 'identity' },
    decompress: false,
    throwHttpErrors: false,
    // A retry of got does not reach what its reader has got already; see retry.ts and resumable-body.ts.
    retry: { limit: 0 },
    maxRedirects: MAX_REDIRECTS,
    timeout: {
      connect: CONNECT_TIMEOUT_MS,
      secureConnect: CONNECT_TIMEOUT_MS,
      socket: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    },
    hooks: {
      beforeRedirect: [
        (updated) => {
          if (updated.url !== undefined) updated.agent = connections.forUrl(new URL(updated.url));
        },
      ],
    },
  });

  function open(request: HttpRequest): Request {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    return client.stream(request.url, {
      method: request.method,
      agent: connections.forUrl(request.url),
      headers: {
        ...(request.body instanceof Uint8Array ? { 'content-length': String(request.body.length) } : {}),
        ...request.headers,
      },
      followRedirect: isRead,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  }

  async function streamOnce(request: HttpRequest, tryNumber: number): Promise<HttpStreamResponse> {
    if (request.signal?.aborted === true) throw interruptionError(request.signal);
    const body = open(request);
    recordRequest(body, request, tryNumber, options.onRequest);
    const source = sendBody(body, request);
    const response = await new Promise<{ statusCode: number; headers: IncomingHttpHeaders; url: string }>(
      (resolve, reject) => {
        body.once('response', resolve);
        body.once('error', (error) => {
          reject(source.error ?? toTransportError(error, request));
        });
      },
    );
    return { status: response.statusCode, headers: response.headers, url: new URL(response.url), body };
  }

  async function sendOnce(request: HttpRequest, limitBytes: number, tryNumber: number): Promise<HttpResponse> {
    const { body, ...response } = await streamOnce(request, tryNumber);
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
  }

  async function retry<T extends HttpResponse | HttpStreamResponse>(
    request: HttpRequest,
    attempt: (tryNumber: number) => Promise<T>,
  ): Promise<T> {
    const { signal, url } = request;
    const retries = request.isSingleTry === true || request.body instanceof Readable ? 0 : retryPolicy.retries;
    return retryTransient({ ...retryPolicy, retries }, signal, async (tryNumber) => {
      await hosts.waitFor(url.host, signal);
      let response: T;
      try {
        response = await attempt(tryNumber);
      } catch (error) {
        throw hosts.hasAnswered(url.host) || tryNumber < MAX_FIRST_CONTACT_TRIES ? error : toFinalError(error);
      }
      hosts.noteAnswer(url.host);
      if (tryNumber > retries || !isTransientStatus(response.status)) return response;
      const waitMs = parseRetryAfter(response.headers['retry-after'], Date.now());
      if ((waitMs ?? 0) > MAX_RETRY_AFTER_MS) return response;
      if (waitMs !== undefined) hosts.pause(url.host, waitMs);
      if (!Buffer.isBuffer(response.body)) response.body.destroy();
      throw new DtError('DT_REGISTRY_ERROR', `${url.host} answered ${String(response.status)}`, { isTransient: true });
    });
  }

  return {
    retryPolicy,
    stream: async (request) => retry(request, async (tryNumber) => streamOnce(request, tryNumber)),
    send: async (request, limitBytes = MAX_SMALL_BODY_BYTES) =>
      retry(request, async (tryNumber) => sendOnce(request, limitBytes, tryNumber)),
  };
}

/** What is known of hosts in this run: whether they ever answered, and until when they want to be left alone. */
class HostStates {
  readonly #answered = new Set<string>();
  readonly #pausedUntilMs = new Map<string, number>();

  hasAnswered(host: string): boolean {
    return this.#answered.has(host);
  }

  noteAnswer(host: string): void {
    this.#answered.add(host);
  }

  pause(host: string, waitMs: number): void {
    this.#pausedUntilMs.set(host, Math.max(this.#pausedUntilMs.get(host) ?? 0, Date.now() + waitMs));
  }

  async waitFor(host: string, signal: AbortSignal | undefined): Promise<void> {
    const waitMs = (this.#pausedUntilMs.get(host) ?? 0) - Date.now();
    if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  }
}

function toFinalError(error: unknown): unknown {
  if (!(error instanceof DtError) || !isConnectFailure(error)) return error;
  const { code, message, cause } = error;
  return new DtError(code, message, { cause });
}

function recordRequest(
  body: Request,
  { method, url }: HttpRequest,
  tryNumber: number,
  onRequest: HttpOptions['onRequest'],
): void {
  if (onRequest === undefined) return;
  let startedAt = performance.now();
  let current: Pick<RequestRecord, 'url' | 'status'> = { url, status: undefined };
  let failure: string | undefined;
  const report = (): void => {
    onRequest({
      method,
      ...current,
      receivedBytes: body.downloadProgress.transferred,
      sentBytes: body.uploadProgress.transferred,
      durationMs: performance.now() - startedAt,
      tryNumber,
      failure,
    });
  };
  body.on('redirect', (updated: { url?: URL | string | undefined }, response: { statusCode: number }) => {
    current = { ...current, status: response.statusCode };
    report();
    startedAt = performance.now();
    current = { url: new URL(String(updated.url ?? url)), status: undefined };
  });
  body.on('response', ({ statusCode }: { statusCode: number }) => {
    current = { ...current, status: statusCode };
  });
  body.on('error', (error) => {
    failure = error.message;
  });
  body.once('close', report);
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
