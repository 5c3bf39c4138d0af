import { once } from 'node:events';
import {
  Agent,
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { breakConnection, passBody } from './fault-body.ts';
import { FaultPlan, type Fault, type FaultRule, type Side } from './fault-plan.ts';
import { SEED } from './random.ts';
import { Traffic } from './traffic.ts';

const RELISTEN_INTERVAL_MS = 20;

/** How the proxy behaves. */
export interface FaultScript {
  readonly rules?: readonly FaultRule[];
  /** Speed of each body, both ways; unlimited by default. */
  readonly bytesPerSecond?: number;
  /** Changes the headers of every answer of the registry. */
  readonly editHeaders?: (headers: IncomingHttpHeaders) => IncomingHttpHeaders;
  readonly seed?: number;
}

/** An HTTP proxy with real sockets before a registry, which spoils what it is told to spoil and counts what passes. */
export interface FaultProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** What has passed since the last call of `play`. */
  readonly traffic: Traffic;
  /** Connections that are open now. */
  readonly openConnections: number;
  /** Called for each request and each piece of a body before it passes. */
  onProgress: () => void;
  /** Behaves so from now on. Returns the counts, which start at zero. */
  play(script: FaultScript): Traffic;
  close(): Promise<void>;
}

/** Starts a proxy before the registry `upstream` (`HOST:PORT`) that passes everything on as it is. */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const proxy = new Proxy(upstream);
  await proxy.listen(0);
  return proxy;
}

class Proxy implements FaultProxy {
  onProgress: () => void = () => undefined;
  traffic = new Traffic();
  host = '';
  readonly #upstream: { readonly hostname: string | undefined; readonly port: string | undefined };
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sockets = new Set<Socket>();
  // Answers on the connections that the other one accepts: a listener can be closed and opened again.
  readonly #http = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (incoming, response) => {
    void this.#handle(incoming, response);
  });
  readonly #listener = createSocketServer((socket) => {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    this.#http.emit('connection', socket);
  });
  #script: FaultScript = {};
  #plan = new FaultPlan([], SEED);
  #isClosed = false;

  constructor(upstream: string) {
    const [hostname, port] = upstream.split(':');
    this.#upstream = { hostname, port };
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async listen(port: number): Promise<void> {
    this.#listener.listen(port, '127.0.0.1');
    await once(this.#listener, 'listening');
    this.host = `127.0.0.1:${String((this.#listener.address() as AddressInfo).port)}`;
  }

  play(script: FaultScript): Traffic {
    this.#script = script;
    this.#plan = new FaultPlan(script.rules ?? [], script.seed ?? SEED);
    this.traffic = new Traffic();
    return this.traffic;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    if (!this.#listener.listening) return;
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = incoming;
    const fault = this.#plan.choose(method, path);
    this.traffic.addRequest(method, path, fault?.kind);
    this.onProgress();
    incoming.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      if (fault?.kind === 'refuse') await this.#refuse(incoming.socket, fault.forMs);
      else if (fault?.kind === 'status') await this.#answer(fault, incoming, response);
      else await this.#relay(fault, incoming, response);
    } catch {
      // The client went away, or the fault was to send it away.
      response.destroy();
    }
  }

  async #refuse(socket: Socket, forMs: number): Promise<void> {
    const { port } = this.#listener.address() as AddressInfo;
    this.#listener.close();
    socket.resetAndDestroy();
    await sleep(forMs);
    while (!this.#isClosed && !this.#listener.listening) {
      try {
        await this.listen(port);
      } catch {
        await sleep(RELISTEN_INTERVAL_MS);
      }
    }
  }

  async #answer(
    { status, headers }: Extract<Fault, { kind: 'status' }>,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = JSON.stringify({ errors: [{ code: 'FAULT', message: 'a fault of the test' }] });
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': body.length,
      ...headers?.(),
    });
    response.end(incoming.method === 'HEAD' ? undefined : body);
    const { traffic } = this;
    for await (const chunk of incoming as AsyncIterable<Buffer>) traffic.addSent(incoming.url ?? '', chunk.length);
  }

  async #relay(fault: Fault | undefined, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers, socket } = incoming;
    const { traffic } = this;
    if (isLost(fault, 'request', lengthOf(headers))) await breakConnection(fault, socket);
    const outgoing = request({ ...this.#upstream, agent: this.#agent, method, path, headers });
    outgoing.on('error', () => response.destroy());
    response.once('close', () => outgoing.destroy());
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    const atByte = this.#plan.random.below(Math.max(lengthOf(headers), 1));
    const uploading = pipeline(
      incoming,
      this.#pass('request', fault, atByte, socket, (count) => {
        traffic.addSent(path, count);
      }),
      outgoing,
    );
    // A registry that refuses an upload answers before it has read all of it.
    uploading.catch(() => undefined);
    const [answer] = await answered;
    traffic.addAnswer(method, path, answer.statusCode ?? 502, lengthOf(answer.headers));
    await this.#relayAnswer(fault, answer, incoming, response);
  }

  async #relayAnswer(
    fault: Fault | undefined,
    answer: IncomingMessage,
    { method, url: path = '', socket }: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const lengthBytes = method === 'HEAD' ? 0 : lengthOf(answer.headers);
    if (isLost(fault, 'answer', lengthBytes)) await breakConnection(fault, socket);
    const atByte = this.#plan.random.below(Math.max(lengthBytes, 1));
    const headers = this.#script.editHeaders?.(answer.headers) ?? answer.headers;
    const isShortened = fault?.kind === 'shorten' && lengthBytes > 0;
    response.writeHead(answer.statusCode ?? 502, { ...headers, ...(isShortened ? { 'content-length': atByte } : {}) });
    const { traffic } = this;
    const pass = this.#pass('answer', fault, atByte, socket, (count) => {
      traffic.addFetched(path, count);
    });
    await pipeline(answer, pass, response);
  }

  #pass(
    side: Side,
    fault: Fault | undefined,
    atByte: number,
    socket: Socket,
    onBytes: (count: number) => void,
  ): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
    const { bytesPerSecond } = this.#script;
    return (source) =>
      passBody(source, {
        fault: fault !== undefined && sideOf(fault) === side ? fault : undefined,
        atByte,
        socket,
        bytesPerSecond,
        onBytes: (count) => {
          onBytes(count);
          this.onProgress();
        },
      });
  }
}

function sideOf(fault: Fault): Side {
  return 'side' in fault ? fault.side : 'answer';
}

/** True if the connection breaks before the body, or there is none: the request, or the answer, is lost whole. */
function isLost(fault: Fault | undefined, side: Side, lengthBytes: number): fault is Fault {
  if (fault === undefined || sideOf(fault) !== side || !['reset', 'cut', 'stall'].includes(fault.kind)) return false;
  return lengthBytes === 0 || ('isWhole' in fault && fault.isWhole);
}

function lengthOf(headers: IncomingHttpHeaders): number {
  return Number(headers['content-length'] ?? 0);
}
