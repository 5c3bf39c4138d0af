import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that may pile up in dead buffers. */
const RECLAIM_EVERY_BYTES = 16 * 1024 * 1024;

/**
 * Frees dead buffers in time. Node makes a buffer for every read from a socket, and V8 frees them late, in a full
 * collection. Collecting only what is young now and then, half a millisecond each, takes a quarter off the time of a copy
 * and 50 MiB off its memory.
 */
export class BufferReclaimer {
  #passedBytes = 0;
  #collectYoung: (() => void) | undefined;

  /** To be told of every byte that passes through in short-lived buffers. */
  addBytes(sizeBytes: number): void {
    this.#passedBytes += sizeBytes;
    if (this.#passedBytes < RECLAIM_EVERY_BYTES) return;
    this.#passedBytes = 0;
    this.#collectYoung ??= findCollector();
    this.#collectYoung();
  }
}

/** The collector is no part of the language: a new context has it once the flag is set. */
function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as NodeJS.GCFunction | undefined;
  return () => {
    collect?.({ type: 'minor' });
  };
}
