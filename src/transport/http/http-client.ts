import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import got, { type Request } from 'got';
import { DtError } from '../../domain/errors.ts';
import type { Connections } from '../connections/connections.ts';
import { checkDowngrade, checkOnwardUrl } from '../connections/foreign-url-rules.ts';
import type { HttpRequest, HttpResponse, HttpStreamResponse } from './http-message.ts';
import { HostStates } from './host-states.ts';
import { interruptionError } from '../../domain/interruption.ts';
import { toTransportError } from './http-errors.ts';
import { isProxyChallenge, proxyRefusal } from '../connections/proxy-errors.ts';
import { recordRequest, type RequestRecord } from './request-record.ts';
import { giveUpStranger, retryTransient, type RetryPolicy } from './retry.ts';
import { extendIdleLimit, sendBody } from './send-body.ts';

/** Bytes of an error answer or a small document that are kept. */
export const MAX_SMALL_BODY_BYTES = 1024 * 1024;
/** A connection on which nothing moves for this long is given up. */
export const DEFAULT_IDLE_TIMEOUT_MS = 60_000;
/** A registry that has all bytes may need longer to put them where they belong. */
const STORING_TIME_FACTOR = 5;
const CONNECT_TIMEOUT_MS = 15_000;
const MAX_REDIRECTS = 5;

export interface HttpOptions {
  readonly userAgent: string;
  readonly connections: Connections;
  readonly retryPolicy: RetryPolicy;
  readonly idleTimeoutMs?: number | undefined;
  /** Called once per try, when its body has ended; a redirect counts as a request of its own. */
  readonly onRequest?: ((record: RequestRecord) => void) | undefined;
  /** Called when a host asks to be left alone for a while, as all requests to it will. */
  readonly onPause?: ((host: string, waitMs: number) => void) | undefined;
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
  const hosts = new HostStates(options.onPause);
  const idleTimeoutMs = options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
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
      socket: idleTimeoutMs,
    },
    hooks: {
      beforeRedirect: [
        (updated, response) => {
          if (updated.url === undefined) return;
          const url = new URL(updated.url);
          const source = new URL(response.url);
          checkOnwardUrl(url, response.requestUrl);
          checkDowngrade(url, source, updated.context['isVerified'] === true || connections.isInsecure(source));
          updated.agent = connections.forUrl(url);
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
      context: { isVerified: request.isVerified === true },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  }

  async function streamOnce(request: HttpRequest, tryNumber: number): Promise<HttpStreamResponse> {
    if (request.signal?.aborted === true) throw interruptionError(request.signal);
    const body = open(request);
    recordRequest(body, request, tryNumber, options.onRequest);
    if (request.method === 'PUT' || request.method === 'PATCH')
      extendIdleLimit(body, STORING_TIME_FACTOR * idleTimeoutMs);
    const source = sendBody(body, request);
    const response = await new Promise<{ statusCode: number; headers: IncomingHttpHeaders; url: string }>(
      (resolve, reject) => {
        body.once('response', resolve);
        body.once('error', (error) => {
          reject(source.error ?? toTransportError(error, request));
        });
      },
    );
    const url = new URL(response.url);
    if (isProxyChallenge(response.statusCode)) {
      body.destroy();
      throw proxyRefusal(url.host, undefined, response.statusCode);
    }
    return { status: response.statusCode, headers: response.headers, url, body };
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

  async function tryOnce<T extends HttpResponse | HttpStreamResponse>(
    { url, signal }: HttpRequest,
    attempt: () => Promise<T>,
  ): Promise<T> {
    await hosts.waitFor(url.host, signal);
    const response = await attempt();
    hosts.noteAnswer(url.host, response.status, response.headers['retry-after']);
    return response;
  }

  async function retry<T extends HttpResponse | HttpStreamResponse>(
    request: HttpRequest,
    attempt: (tryNumber: number) => Promise<T>,
  ): Promise<T> {
    if (request.isSingleTry === true || request.body instanceof Readable) {
      return tryOnce(request, async () => attempt(1));
    }
    const { host } = request.url;
    return retryTransient(retryPolicy, request.signal, async (tryNumber) => {
      try {
        const response = await tryOnce(request, async () => attempt(tryNumber));
        if (tryNumber > retryPolicy.retries || !hosts.mayAnswerOtherwise(host, response.status)) return response;
        if (!Buffer.isBuffer(response.body)) response.body.destroy();
        throw new DtError('DT_REGISTRY_ERROR', `${host} answered ${String(response.status)}`, { isTransient: true });
      } catch (error) {
        throw hosts.hasAnswered(host) ? error : giveUpStranger(error, tryNumber);
      }
    });
  }

  return {
    retryPolicy,
    stream: async (request) => retry(request, async (tryNumber) => streamOnce(request, tryNumber)),
    send: async (request, limitBytes = MAX_SMALL_BODY_BYTES) =>
      retry(request, async (tryNumber) => sendOnce(request, limitBytes, tryNumber)),
  };
}
