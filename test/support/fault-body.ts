import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault-plan.ts';

/** Pieces of a slow body: small and often, as on a slow line. */
const SLICES_PER_SECOND = 20;

export interface PassOptions {
  readonly fault: Fault | undefined;
  /** Where in the body the fault happens. */
  readonly atByte: number;
  /** The connection to the client. */
  readonly socket: Socket;
  readonly bytesPerSecond: number | undefined;
  /** Called before bytes pass. */
  readonly onBytes: (count: number) => void;
}

/** Hands a body on, slowly if that is wanted, up to the byte where the fault happens. */
export async function* passBody(source: AsyncIterable<Buffer>, options: PassOptions): AsyncGenerator<Buffer> {
  const { fault, atByte, onBytes } = options;
  let position = 0;
  for await (const chunk of source) {
    const start = atByte - position;
    const isHere = fault !== undefined && start >= 0 && start < chunk.length;
    position += chunk.length;
    if (fault?.kind === 'shorten') {
      const kept = chunk.subarray(0, Math.max(start, 0));
      onBytes(kept.length);
      if (kept.length > 0) yield kept;
      continue;
    }
    if (!isHere) {
      onBytes(chunk.length);
      yield* slowly(chunk, options.bytesPerSecond);
      continue;
    }
    if (fault.kind === 'flip') {
      onBytes(chunk.length);
      const changed = Buffer.from(chunk);
      changed[start] = (changed[start] ?? 0) ^ 1;
      yield changed;
      continue;
    }
    onBytes(start);
    yield chunk.subarray(0, start);
    await breakConnection(fault, options.socket);
  }
}

/** Resets or closes a connection, or leaves it alone until the client gives it up; throws when it is gone. */
export async function breakConnection({ kind }: Fault, socket: Socket): Promise<never> {
  const closed = socket.closed ? undefined : once(socket, 'close');
  if (kind === 'reset') socket.resetAndDestroy();
  else if (kind === 'cut') socket.end();
  await closed;
  throw new Error(`the connection was broken on purpose: ${kind}`);
}

async function* slowly(chunk: Buffer, bytesPerSecond: number | undefined): AsyncGenerator<Buffer> {
  const sliceBytes = bytesPerSecond === undefined ? chunk.length : Math.ceil(bytesPerSecond / SLICES_PER_SECOND);
  for (let at = 0; at < chunk.length; at += sliceBytes) {
    if (bytesPerSecond !== undefined) await sleep(1000 / SLICES_PER_SECOND);
    yield chunk.subarray(at, at + sliceBytes);
  }
}
