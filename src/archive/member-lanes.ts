import { availableParallelism } from 'node:os';
import { DtError } from '../domain/errors.ts';
import { BlobJobs, type BlobReply, type BlobRequest } from './blob-jobs.ts';
import { BlobThread } from './blob-thread.ts';
import type { MemberToCheck, MemberVerdict } from './check-member.ts';

/** Under this many bytes a thread would take longer to start than to work. */
const MIN_THREADED_BYTES = 32 * 1024 * 1024;
/** More read no faster from a disk. */
const MAX_LANES = 4;

interface Lane {
  newId(): number;
  call(request: BlobRequest): Promise<BlobReply>;
  close(): Promise<void>;
}

/** Checks large members, several beside each other. Must be closed. */
export class MemberLanes {
  readonly #lanes: readonly Lane[];

  /** `totalBytes` is about what there is to check. */
  constructor(totalBytes: number) {
    const count = Math.min(MAX_LANES, availableParallelism());
    this.#lanes =
      totalBytes < MIN_THREADED_BYTES ? [createLocalLane()] : Array.from({ length: count }, () => new BlobThread());
  }

  /**
   * Checks what `next` gives, until it gives nothing more, and hands over each verdict or failure (DT_WRAP_INVALID,
   * DT_WRAP_TRUNCATED). Throws system errors, and whatever `take` throws.
   */
  async run<Item extends { readonly job: MemberToCheck }>(
    items: readonly Item[],
    take: (item: Item, outcome: MemberVerdict | DtError) => void,
    { onBytes, signal }: { readonly onBytes: (sizeBytes: number) => void; readonly signal: AbortSignal },
  ): Promise<void> {
    const queue = items.values();
    await Promise.all(
      this.#lanes.map(async (lane) => {
        for (const item of queue) {
          signal.throwIfAborted();
          take(item, await checkInLane(lane, item.job, onBytes, signal));
        }
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(async (lane) => lane.close()));
  }
}

async function checkInLane(
  lane: Lane,
  job: MemberToCheck,
  onBytes: (sizeBytes: number) => void,
  signal: AbortSignal,
): Promise<MemberVerdict | DtError> {
  const id = lane.newId();
  void lane.call({ kind: 'open-check', id, ...job });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { verdict, checkedBytes = 0, failure } = await lane.call({ kind: 'check', id });
      if (failure?.reason === 'wrap') return new DtError(failure.code, failure.message);
      if (failure !== undefined) {
        throw Object.assign(new Error('message' in failure ? failure.message : failure.reason), failure);
      }
      if (verdict !== undefined) return verdict;
      onBytes(checkedBytes);
    }
  } finally {
    await lane.call({ kind: 'abandon', id });
  }
}

/** Works in this thread, a step at a time. */
function createLocalLane(): Lane {
  const jobs = new BlobJobs();
  let nextId = 0;
  return {
    newId: () => nextId++,
    call: (request) => Promise.resolve(jobs.handle(request)),
    close: () => Promise.resolve(),
  };
}
