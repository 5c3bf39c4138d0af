import type { Hash } from 'node:crypto';
import { DtError, systemErrorCode, type ErrorCode } from '../domain/errors.ts';
import { createDigestHash, digestHex, type Digest } from '../domain/oci/digest.ts';
import { checkMember, type MemberToCheck, type MemberVerdict } from './check-member.ts';
import type { FileSegments } from './segmented-file.ts';
import { readStoredMemberSync, type StoredMember } from './stored-member.ts';
import { StoredMemberWriter, type MemberPlace } from './stored-member-writer.ts';

/** A blob on its way into a file, once for each place. */
export interface OpenBlobJob {
  readonly kind: 'open';
  readonly id: number;
  readonly file: FileSegments;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly places: readonly MemberPlace[];
}

/** A blob that lies in a file, from `start` in the content of a stored member. */
export interface ReadBlobJob {
  readonly kind: 'open-read';
  readonly id: number;
  readonly file: FileSegments;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly member: StoredMember;
  readonly start: number;
}

/** A large entry that is only checked; its bytes stay where they are. */
export interface CheckMemberJob extends MemberToCheck {
  readonly kind: 'open-check';
  readonly id: number;
}

/** Every request gets one reply, in order. */
export type BlobRequest =
  | OpenBlobJob
  | ReadBlobJob
  | CheckMemberJob
  /** Goes on with a check: the reply has what was read, or the verdict at the end. */
  | { readonly kind: 'check'; readonly id: number }
  /** Asks for the next bytes of a blob that is read; none at its end. The last ones come only if the digest is right. */
  | { readonly kind: 'read'; readonly id: number }
  | { readonly kind: 'write'; readonly id: number; readonly slab: SharedArrayBuffer; readonly sizeBytes: number }
  /** Verifies size and digest; only then the members count as finished. `crcs` has the checksum for each place. */
  | { readonly kind: 'finish'; readonly id: number; readonly crcs: readonly number[] }
  /** Forgets the job; what it wrote stays without a mark. */
  | { readonly kind: 'abandon'; readonly id: number };

export type BlobFailure =
  | { readonly reason: 'size'; readonly seenBytes: number }
  | { readonly reason: 'digest' }
  | { readonly reason: 'wrap'; readonly code: ErrorCode; readonly message: string }
  | {
      readonly reason: 'system';
      readonly message: string;
      readonly code: string | undefined;
      readonly syscall: string | undefined;
    };

export interface BlobReply {
  readonly failure?: BlobFailure;
  /** The whole of its memory: it can be handed to another thread. */
  readonly bytes?: Uint8Array | undefined;
  readonly checkedBytes?: number;
  readonly verdict?: MemberVerdict;
}

interface BlobJob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly hash: Hash;
  readonly writers: readonly StoredMemberWriter[];
  seenBytes: number;
}

/** Verifies blobs while it writes or reads them, each a series of requests. Has no state but its open jobs, so it runs in any thread. */
export class BlobJobs {
  readonly #jobs = new Map<number, BlobJob>();
  readonly #readers = new Map<number, Iterator<Buffer, BlobFailure | undefined>>();
  readonly #checks = new Map<number, Iterator<number, MemberVerdict>>();

  /** Never throws: a failure is part of the reply. A job that failed must still be abandoned. */
  handle(request: BlobRequest): BlobReply {
    try {
      if (request.kind === 'read') return this.#read(request.id);
      if (request.kind === 'check') return this.#check(request.id);
      const failure = this.#perform(request);
      return failure === undefined ? {} : { failure };
    } catch (error) {
      return { failure: describeError(error) };
    }
  }

  #read(id: number): BlobReply {
    const next = this.#readers.get(id)?.next();
    if (next === undefined) return {};
    if (next.done !== true) return { bytes: next.value };
    return next.value === undefined ? {} : { failure: next.value };
  }

  #check(id: number): BlobReply {
    const next = this.#checks.get(id)?.next();
    if (next === undefined) return {};
    return next.done === true ? { verdict: next.value } : { checkedBytes: next.value };
  }

  #perform(request: Exclude<BlobRequest, { kind: 'read' | 'check' }>): BlobFailure | undefined {
    const { id } = request;
    if (request.kind === 'open-check') {
      this.#checks.set(id, checkMember(request));
      return undefined;
    }
    if (request.kind === 'open-read') {
      this.#readers.set(id, readVerified(request));
      return undefined;
    }
    if (request.kind === 'open') {
      const { file, digest, sizeBytes, places } = request;
      const writers = places.map((place) => new StoredMemberWriter(file, place));
      this.#jobs.set(id, { digest, sizeBytes, hash: createDigestHash(digest), writers, seenBytes: 0 });
      return undefined;
    }
    this.#readers.delete(id);
    this.#checks.delete(id);
    const job = this.#jobs.get(id);
    // A job that could not be opened has told why already.
    if (job === undefined) return undefined;
    if (request.kind === 'write') return write(job, new Uint8Array(request.slab, 0, request.sizeBytes));
    this.#jobs.delete(id);
    return request.kind === 'finish' ? finish(job, request.crcs) : undefined;
  }
}

function write(job: BlobJob, bytes: Uint8Array): BlobFailure | undefined {
  job.seenBytes += bytes.length;
  if (job.seenBytes > job.sizeBytes) return { reason: 'size', seenBytes: job.seenBytes };
  job.hash.update(bytes);
  for (const writer of job.writers) writer.write(bytes);
  return undefined;
}

function finish(
  { digest, sizeBytes, hash, writers, seenBytes }: BlobJob,
  crcs: readonly number[],
): BlobFailure | undefined {
  if (seenBytes !== sizeBytes) return { reason: 'size', seenBytes };
  if (hash.digest('hex') !== digestHex(digest)) return { reason: 'digest' };
  for (const [position, writer] of writers.entries()) writer.finish(crcs[position] ?? 0);
  return undefined;
}

/** Holds each part back until the next one is read, so that nobody gets the last one of a blob with a wrong digest. */
function* readVerified({
  file,
  digest,
  sizeBytes,
  member,
  start,
}: ReadBlobJob): Generator<Buffer, BlobFailure | undefined> {
  const hash = createDigestHash(digest);
  let held: Buffer | undefined;
  for (const part of readStoredMemberSync(file, member, start, start + sizeBytes)) {
    if (held !== undefined) yield held;
    hash.update(part);
    held = part;
  }
  if (hash.digest('hex') !== digestHex(digest)) return { reason: 'digest' };
  if (held !== undefined) yield held;
  return undefined;
}

function describeError(error: unknown): BlobFailure {
  if (error instanceof DtError) return { reason: 'wrap', code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  const syscall = error instanceof Error && 'syscall' in error ? String(error.syscall) : undefined;
  return { reason: 'system', message, code: systemErrorCode(error), syscall };
}
