import { once } from 'node:events';
import type { AgentOptions, ClientRequest } from 'node:http';
import { isIP, Socket } from 'node:net';
import { checkServerIdentity, TLSSocket } from 'node:tls';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { copyError } from '../../domain/error-rules.ts';
import { DtError } from '../../domain/errors.ts';
import { toTransportError } from '../http/http-errors.ts';
import { proxyRefusal } from './proxy-errors.ts';
import type { Proxy } from './proxy-variables.ts';
import type { HostTls } from './tls-settings.ts';

/** Until a proxy is connected to and, for an https target, has answered the CONNECT, for which it connects in its turn. */
export const PROXY_TIMEOUT_MS = 30_000;
const TLS_TIMEOUT_MS = 15_000;

export interface ProxyAgentOptions {
  readonly proxy: Proxy;
  /** Of the proxy, if it is an https proxy. */
  readonly proxyTls: HostTls | undefined;
  readonly timeoutMs: number;
  readonly maxSocketsPerHost: number;
}

type TunnelOptions = Parameters<HttpsProxyAgent<string>['connect']>[1];

/** Requests to https targets: through CONNECT, with TLS from end to end. */
export class TunnelAgent extends HttpsProxyAgent<string> {
  readonly #timeoutMs: number;
  readonly #targetTls: HostTls;

  constructor(options: ProxyAgentOptions, targetTls: HostTls) {
    super(options.proxy.url.href, poolOptions(options));
    this.#timeoutMs = options.timeoutMs;
    this.#targetTls = targetTls;
    this.proxyHeaders = proxyHeaders(options.proxy);
    this.connectOpts = connectionOptions(options);
  }

  override async connect(request: ClientRequest, options: TunnelOptions): Promise<Socket> {
    const host = options.host ?? '';
    const target = isIP(host) === 6 ? `[${host}]` : host;
    let tunnel: Socket | undefined;
    try {
      const socket = await withTimeLimit(this.#timeoutMs, async (signal) => {
        this.connectOpts = { ...this.connectOpts, signal };
        request.once('proxyConnect', ({ statusCode }: { statusCode: number }) => {
          request.once('proxy', (proxy: { socket: Socket }) => {
            tunnel = ignoreErrors(proxy.socket);
            // Thrown before the library hands the proxy's answer to the request as that of the target.
            if (statusCode !== 200)
              throw proxyRefusal(`${target}:${String(options.port)}`, this.proxy.host, statusCode);
          });
        });
        return super.connect(request, {
          ...options,
          ...this.#targetTls,
          // Without it the certificate of an address would be compared with the name of the proxy.
          checkServerIdentity: (_name: string, certificate) => checkServerIdentity(host, certificate),
        } as TunnelOptions);
      });
      await withTimeLimit(TLS_TIMEOUT_MS, async (signal) => once(socket, 'secureConnect', { signal }));
      return socket;
    } catch (error) {
      tunnel?.destroy();
      return failLater(tunnel === undefined ? proxyFailure(error, this.proxy, target) : error);
    }
  }
}

type RelayOptions = Parameters<HttpProxyAgent<string>['connect']>[1];
type RelayRequest = Parameters<HttpProxyAgent<string>['connect']>[0];

/** Requests to http targets: the proxy gets the whole URL and asks in our place. */
export class RelayAgent extends HttpProxyAgent<string> {
  readonly #timeoutMs: number;

  constructor(options: ProxyAgentOptions) {
    // tinyproxy closes after each answer without saying so: what is sent on such a connection is lost.
    super(options.proxy.url.href, { ...poolOptions(options), keepAlive: false });
    this.#timeoutMs = options.timeoutMs;
    this.proxyHeaders = proxyHeaders(options.proxy);
    this.connectOpts = connectionOptions(options);
  }

  override async connect(request: RelayRequest, options: RelayOptions): Promise<Socket> {
    let connection: Socket | undefined;
    try {
      return await withTimeLimit(this.#timeoutMs, async (signal) => {
        this.connectOpts = { ...this.connectOpts, signal };
        const socket = await super.connect(request, options);
        connection = socket;
        if (socket instanceof TLSSocket) await once(socket, 'secureConnect', { signal });
        return socket;
      });
    } catch (error) {
      if (connection !== undefined) ignoreErrors(connection).destroy();
      return failLater(proxyFailure(error, this.proxy, options.host ?? ''));
    }
  }
}

function poolOptions({ maxSocketsPerHost }: ProxyAgentOptions): AgentOptions {
  return { keepAlive: true, maxSockets: maxSocketsPerHost };
}

/** As a function, and the URL without user and password: what the libraries print with `DEBUG` set has no secret in it. */
function proxyHeaders({ authorization }: Proxy): () => Record<string, string> {
  return () => (authorization === undefined ? {} : { 'Proxy-Authorization': authorization });
}

function connectionOptions({ proxy: { url }, proxyTls }: ProxyAgentOptions): TunnelAgent['connectOpts'] {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return { host, port, ...(proxyTls === undefined ? {} : { ...proxyTls, ...servername, ALPNProtocols: ['http/1.1'] }) };
}

/** `signal` ends the socket when the time is over; it must not be kept beyond that. */
async function withTimeLimit<T>(timeoutMs: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  try {
    return await run(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

function proxyFailure(error: unknown, proxy: URL, target: string): DtError {
  const failure = toTransportError(error, { url: proxy });
  if (!(failure instanceof DtError)) throw failure;
  return copyError(failure, { message: `${failure.message} (the proxy on the way to ${target})` });
}

/**
 * A socket that fails as soon as the request has it. An agent goes on with the requests that wait for a socket when one
 * closes; for a connection that was never made it would leave them waiting.
 */
function failLater(error: unknown): Socket {
  const socket = Object.assign(new Socket(), { connecting: true });
  setImmediate(() => socket.destroy(error instanceof Error ? error : new Error(String(error))));
  return socket;
}

function ignoreErrors(socket: Socket): Socket {
  return socket.on('error', () => undefined);
}
