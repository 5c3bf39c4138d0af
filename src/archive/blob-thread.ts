import { Worker } from 'node:worker_threads';
import { BlobJobs, type BlobReply, type BlobRequest } from './blob-jobs.ts';
import { STORED_BLOCK_BYTES } from './gzip-member.ts';

/** What is handed over at once: about a mebibyte of whole stored blocks. */
const SLAB_BYTES = 16 * STORED_BLOCK_BYTES;
/** Bounds what waits for the thread; more than the blobs that are on their way at the same time. */
const MAX_SLABS = 20;

/** A package, which is one file, has the code of the worker in it: its build puts it here. */
declare const BLOB_WORKER_CODE: string | undefined;

/** Verifies and writes blobs beside the main thread, which only fetches them. Must be closed. */
export class BlobThread {
  readonly #worker: Worker | undefined;
  /** Does the work itself where no worker can be started. */
  readonly #local = new BlobJobs();
  readonly #isReady: Promise<boolean>;
  readonly #pending: PromiseWithResolvers<BlobReply>[] = [];
  readonly #slabs: Buffer[] = [];
  readonly #waiting: ((slab: Buffer) => void)[] = [];
  #slabCount = 0;
  #nextId = 0;
  #death: BlobReply | undefined;
  #calls = 0;
  #isClosing = false;

  /** `workerUrl` is for tests. */
  constructor(workerUrl?: URL) {
    this.#worker = createWorker(workerUrl);
    const ready = Promise.withResolvers<boolean>();
    this.#isReady = ready.promise;
    if (this.#worker === undefined) ready.resolve(false);
    let isFirst = true;
    this.#worker?.on('message', (reply: BlobReply) => {
      if (!isFirst) this.#pending.shift()?.resolve(reply);
      isFirst = false;
      ready.resolve(true);
    });
    this.#worker?.on('error', (error: Error) => {
      this.#die(error.message);
    });
    this.#worker?.on('exit', () => {
      this.#die('it ended');
      ready.resolve(false);
    });
    this.#worker?.unref();
  }

  newId(): number {
    return this.#nextId++;
  }

  /** Resolves with the reply to the request. Never rejects: that the thread is lost is a failure like others. */
  async call(request: BlobRequest): Promise<BlobReply> {
    // The thread holds the process as long as somebody waits for it, and until it has ended when it is to end.
    this.#calls++;
    this.#worker?.ref();
    try {
      return await this.#send(request);
    } finally {
      this.#calls--;
      if (this.#calls === 0 && !this.#isClosing) this.#worker?.unref();
    }
  }

  async #send(request: BlobRequest): Promise<BlobReply> {
    if (this.#worker === undefined || !(await this.#isReady)) return this.#local.handle(request);
    if (this.#death !== undefined) return this.#death;
    const reply = Promise.withResolvers<BlobReply>();
    this.#pending.push(reply);
    this.#worker.postMessage(request);
    return reply.promise;
  }

  /** A buffer over shared memory, as soon as one is free. */
  async takeSlab(): Promise<Buffer> {
    const free = this.#slabs.pop();
    if (free !== undefined) return free;
    if (this.#slabCount < MAX_SLABS) {
      this.#slabCount++;
      return Buffer.from(new SharedArrayBuffer(SLAB_BYTES));
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  giveSlab(slab: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#slabs.push(slab);
    else next(slab);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#worker?.terminate();
  }

  #die(why: string): void {
    const message = `the thread that writes is lost: ${why}`;
    this.#death ??= { failure: { reason: 'system', message, code: undefined, syscall: undefined } };
    for (const { resolve } of this.#pending.splice(0)) resolve(this.#death);
  }
}

/** The one place that creates a worker. Undefined where that is not possible. */
function createWorker(url: URL | undefined): Worker | undefined {
  const name = 'blobs';
  try {
    if (url === undefined && typeof BLOB_WORKER_CODE === 'string') {
      return new Worker(BLOB_WORKER_CODE, { eval: true, name });
    }
    return new Worker(url ?? findWorker(import.meta.url), { name });
  } catch {
    return undefined;
  }
}

/** The bundle has the worker above its chunks; the sources have it beside this file. */
function findWorker(ownUrl: string): URL {
  return new URL(ownUrl.endsWith('.ts') ? './blob-worker.ts' : '../blob-worker.js', ownUrl);
}
