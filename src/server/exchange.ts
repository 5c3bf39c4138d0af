import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MAX_DRAINED_BYTES } from './limits.ts';
import { registryErrorStatus, type RegistryErrorCode, type RegistryErrorEntry } from './registry-errors.ts';

export interface FailOptions {
  readonly status?: number;
  readonly detail?: unknown;
  readonly headers?: OutgoingHttpHeaders;
}

/** One request and the one answer to it. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly method: string;
  readonly #response: ServerResponse;
  readonly #onStatus: (status: number) => void;

  constructor(request: IncomingMessage, response: ServerResponse, onStatus: (status: number) => void) {
    this.request = request;
    this.method = request.method ?? '';
    const target = request.url ?? '';
    const mark = target.indexOf('?');
    this.query = new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1));
    this.#response = response;
    this.#onStatus = onStatus;
  }

  get isAnswered(): boolean {
    return this.#response.headersSent;
  }

  /** True when the connection broke before the request was received or answered. */
  get isClientGone(): boolean {
    return this.#response.socket?.destroyed !== false;
  }

  /** The body. Leaving it half-way does not close the connection, on which the answer has to go out. */
  get body(): AsyncIterable<Uint8Array> {
    return this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  }

  /** Answers with a body that is at hand. To HEAD only the headers go out. */
  respond(status: number, headers: OutgoingHttpHeaders = {}, body: Uint8Array | string = ''): void {
    const length = status === 204 ? {} : { 'Content-Length': Buffer.byteLength(body) };
    this.#writeHead(status, { ...length, ...headers });
    this.#response.end(body);
    this.#drainRequest();
  }

  respondJson(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): void {
    this.respond(status, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(value));
  }

  /** Answers with a stream. A stream that fails cuts the connection: the client sees that bytes are missing. */
  async respondStream(status: number, headers: OutgoingHttpHeaders, stream: Readable): Promise<void> {
    this.#writeHead(status, headers);
    await pipeline(stream, this.#response);
  }

  fail(code: RegistryErrorCode, message: string, options: FailOptions = {}): void {
    const entry = { code, message, ...(options.detail === undefined ? {} : { detail: options.detail }) };
    this.failWith([entry], options.status ?? registryErrorStatus(code), options.headers);
  }

  failWith(errors: readonly RegistryErrorEntry[], status: number, headers: OutgoingHttpHeaders = {}): void {
    this.respondJson(status, { errors }, headers);
  }

  /** Cuts the connection: for failures after the head of the answer has been sent. */
  abort(): void {
    this.#response.destroy();
  }

  #writeHead(status: number, headers: OutgoingHttpHeaders): void {
    this.#onStatus(status);
    this.#response.writeHead(status, { 'Docker-Distribution-Api-Version': 'registry/2.0', ...headers });
  }

  /** Closing a connection with unread bytes in it would make the client lose the answer. */
  #drainRequest(): void {
    const { request } = this;
    if (request.complete || request.destroyed) return;
    let drainedBytes = 0;
    request.on('data', (chunk: Buffer) => {
      drainedBytes += chunk.length;
      if (drainedBytes > MAX_DRAINED_BYTES) request.destroy();
    });
    request.on('error', () => undefined);
    request.resume();
  }
}
