import { crc32 } from 'node:zlib';
import { isDtError } from '../domain/errors.ts';
import { createDigestHash, digestHex, type Digest } from '../domain/oci/digest.ts';
import { GZIP_TRAILER_BYTES, gzipTrailer } from './gzip-member.ts';
import type { PositionalReader } from './segmented-file.ts';
import { hasGzipHeader, readStoredMember } from './stored-member.ts';
import { tarPaddingBytes } from './tar-header.ts';
import type { LargeMember, WrapPlan } from './wrap-plan.ts';

/** The blobs that lie finished and intact in a partial file, provided that its small members are those of the plan. */
export async function findFinishedBlobs(
  file: PositionalReader,
  plan: WrapPlan,
  signal: AbortSignal | undefined,
): Promise<Set<Digest>> {
  const finished = new Set<Digest>();
  for (const member of plan.members) {
    if (member.kind === 'small' && !(await hasBytes(file, member.bytes, member.offset))) return finished;
  }
  for (const [digest, members] of groupBlobMembers(plan)) {
    let isWhole = true;
    for (const member of members) {
      signal?.throwIfAborted();
      isWhole &&= await readFinishedMember(file, member, digest);
    }
    if (isWhole) finished.add(digest);
  }
  return finished;
}

/** True if the member was finished by a former run and holds exactly the planned header, blob and padding. */
export async function readFinishedMember(
  file: PositionalReader,
  member: LargeMember,
  digest: Digest,
): Promise<boolean> {
  if (!(await hasGzipHeader(file, member.offset))) return false;
  const headerBytes = member.tarHeader.length;
  const contentBytes = headerBytes + member.sizeBytes + tarPaddingBytes(member.sizeBytes);
  const hash = createDigestHash(digest);
  let crc = 0;
  let at = 0;
  try {
    for await (const chunk of readStoredMember(file, { offset: member.offset, contentBytes }, 0, contentBytes)) {
      if (at === 0 && !chunk.subarray(0, headerBytes).equals(member.tarHeader)) return false;
      crc = crc32(chunk, crc);
      hash.update(chunk.subarray(Math.max(headerBytes - at, 0), Math.max(headerBytes + member.sizeBytes - at, 0)));
      at += chunk.length;
    }
  } catch (error) {
    if (isDtError(error)) return false;
    throw error;
  }
  const trailer = Buffer.alloc(GZIP_TRAILER_BYTES);
  await file.read([trailer], member.offset + member.length - GZIP_TRAILER_BYTES);
  return hash.digest('hex') === digestHex(digest) && trailer.equals(gzipTrailer(crc, contentBytes));
}

/** True if these bytes lie there. */
export async function hasBytes(file: PositionalReader, expected: Buffer, offset: number): Promise<boolean> {
  const bytes = Buffer.alloc(expected.length);
  return (await file.read([bytes], offset)) === expected.length && bytes.equals(expected);
}

/** The places of each blob in a plan. */
export function groupBlobMembers(plan: WrapPlan): Map<Digest, LargeMember[]> {
  const groups = new Map<Digest, LargeMember[]>();
  for (const member of plan.members) {
    if (member.kind !== 'large' || typeof member.content !== 'string') continue;
    const group = groups.get(member.content);
    if (group === undefined) groups.set(member.content, [member]);
    else group.push(member);
  }
  return groups;
}
