import type { MemberToCheck, MemberVerdict } from '../../archive/check-member.ts';
import { MemberLanes } from '../../archive/member-lanes.ts';
import type { SmallEntries } from '../../archive/small-entries.ts';
import type { WrapReader } from '../../archive/wrap-reader.ts';
import type { CheckedBlob } from '../../content/checked-content.ts';
import { isDtError, type DtError } from '../../domain/errors.ts';
import { digestAlgorithm, digestHex, matchesDigest, type Digest } from '../../domain/oci/digest.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import type { Progress } from '../ports.ts';
import type { LargeFile } from './read-members.ts';
import type { WrapFile } from './wrap-content.ts';

export interface BlobCheck {
  /** What the file at a path must be, and how large. */
  readonly digestsOf: (path: string) => readonly Digest[];
  readonly sizeOf: (digest: Digest) => number | undefined;
  readonly damages: DamageList;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface CheckedFiles {
  /** The sound blobs, each with the first place where it lies. */
  readonly blobs: ReadonlyMap<Digest, CheckedBlob>;
  /** The files that they are. */
  readonly files: ReadonlyMap<Digest, WrapFile | LargeFile>;
  /** Large files whose checksum is right. */
  readonly soundPaths: ReadonlySet<string>;
  readonly blobCount: number;
  readonly blobBytes: number;
}

/**
 * Reads every byte of the files and compares checksums, digests and sizes; no bytes are kept. Throws system errors, DT_INTERRUPTED, and
 * DT_WRAP_INVALID if the file changes meanwhile.
 */
export async function checkBlobs(
  reader: WrapReader,
  small: SmallEntries,
  files: readonly (WrapFile | LargeFile)[],
  check: BlobCheck,
): Promise<CheckedFiles> {
  const result = {
    blobs: new Map<Digest, CheckedBlob>(),
    files: new Map<Digest, WrapFile | LargeFile>(),
    soundPaths: new Set<string>(),
    blobCount: 0,
    blobBytes: 0,
  };
  const { digestsOf, damages, progress, signal } = check;
  const take = (file: WrapFile, isDigest: (digest: Digest) => boolean): void => {
    const digests = digestsOf(file.path);
    if (digests.length === 0) return;
    result.blobCount += 1;
    result.blobBytes += file.sizeBytes;
    for (const digest of digests) {
      const place = { entry: file.path, digest };
      const sizeBytes = check.sizeOf(digest);
      if (sizeBytes !== undefined && sizeBytes !== file.sizeBytes) {
        const seen = `the entry has ${String(file.sizeBytes)} bytes where ${String(sizeBytes)} are promised`;
        damages.add('DT_SIZE_MISMATCH', seen, place);
      } else if (!isDigest(digest))
        damages.add('DT_DIGEST_MISMATCH', `the entry does not have the digest ${digest}`, place);
      else if (!result.blobs.has(digest)) {
        result.blobs.set(digest, { path: file.path, sizeBytes: file.sizeBytes });
        result.files.set(digest, file);
      }
    }
  };
  for (const file of files) {
    const { place } = file;
    if (place === undefined) continue;
    signal.throwIfAborted();
    const bytes = digestsOf(file.path).length === 0 ? undefined : await small.readAt(place);
    take(file, (digest) => bytes !== undefined && matchesDigest(bytes, digest));
    progress.addBytes(file.sizeBytes);
  }
  const jobs = files.filter((file) => 'stored' in file).map((file) => ({ file, job: toJob(reader, file, digestsOf) }));
  // Handed on in the order of the file, whichever is ready first.
  const outcomes = new Map<LargeFile, MemberVerdict | DtError>();
  const lanes = new MemberLanes(jobs.reduce((sum, { file }) => sum + file.sizeBytes, 0));
  try {
    const onBytes = (sizeBytes: number): void => {
      progress.addBytes(sizeBytes);
    };
    await lanes.run(
      jobs,
      (item, outcome) => {
        outcomes.set(item.file, outcome);
      },
      { onBytes, signal },
    );
  } finally {
    await lanes.close();
  }
  for (const { file } of jobs) {
    const outcome = outcomes.get(file);
    if (outcome === undefined) continue;
    const problem = describeProblem(outcome);
    const [digest] = digestsOf(file.path);
    if (problem !== undefined) damages.add(problem.code, problem.message, { entry: file.path, digest });
    if (problem !== undefined || isDtError(outcome)) continue;
    result.soundPaths.add(file.path);
    take(file, (wanted) => outcome.digests[digestAlgorithm(wanted)] === digestHex(wanted));
  }
  return result;
}

function toJob(
  reader: WrapReader,
  { path, stored, headerBytes, sizeBytes }: LargeFile,
  digestsOf: BlobCheck['digestsOf'],
): MemberToCheck {
  const algorithms = [...new Set(digestsOf(path).map(digestAlgorithm))];
  return { file: reader.file.segments, member: stored, start: headerBytes, sizeBytes, algorithms };
}

function describeProblem(outcome: MemberVerdict | DtError): Pick<DtError, 'code' | 'message'> | undefined {
  if (isDtError(outcome)) return outcome;
  const { hasChecksum, hasCleanPadding } = outcome;
  if (!hasChecksum) return { code: 'DT_WRAP_INVALID', message: 'the member of the entry does not have its checksum' };
  if (!hasCleanPadding) return { code: 'DT_WRAP_INVALID', message: 'bytes are hidden behind the entry' };
  return undefined;
}
