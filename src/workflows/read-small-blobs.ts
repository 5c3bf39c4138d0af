import { readBlobBytes } from '../content/read-blob-bytes.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { matchesDigest, type Digest } from '../domain/oci/digest.ts';
import { combineFailures, listFailures, tryAll } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { imageName, type GatheredImage } from './gather-images.ts';
import { isLargeBlob } from './wrap-entries.ts';

/** The blobs that go into deflated members: their bytes must be known before anything has its place. `kept` is not fetched again. */
export async function readSmallBlobs(
  images: readonly GatheredImage[],
  kept: readonly Buffer[],
  context: RunContext,
  onBytes: (sizeBytes: number) => void,
): Promise<Map<Digest, Uint8Array>> {
  const wanted = new Map<Digest, { readonly blob: Descriptor; readonly users: GatheredImage[] }>();
  for (const gathered of images) {
    for (const blob of gathered.image.graph.blobs) {
      const users = wanted.get(blob.digest)?.users;
      if (isLargeBlob(blob)) continue;
      if (users === undefined) wanted.set(blob.digest, { blob, users: [gathered] });
      else users.push(gathered);
    }
  }
  const blobs = [...wanted.values()];
  const outcomes = await tryAll(blobs, context, async ({ blob, users }, signal) => {
    const [first] = users;
    if (first === undefined) throw new TypeError(`nobody needs ${blob.digest}`);
    const found = kept.find((bytes) => bytes.length === blob.size && matchesDigest(bytes, blob.digest));
    if (found !== undefined) onBytes(blob.size);
    return [blob.digest, found ?? (await readBlobBytes(first.store, blob, { signal, onBytes }))] as const;
  });
  const users = blobs.flatMap((item, index) => item.users.map((user) => ({ user, outcome: outcomes[index] })));
  const failures = listFailures(
    users,
    users.map(({ outcome }) => outcome),
    ({ user }) => imageName(user),
  );
  if (failures.length > 0) throw combineFailures(failures, { totalCount: images.length, verb: 'pulled' });
  return new Map(outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : [])));
}
