import type { ConcurrencyOptions } from '../content/map-concurrently.ts';
import { readBlobBytes } from '../content/read-blob-bytes.ts';
import { readFromAny } from '../content/read-from-any.ts';
import type { ReadableStore } from '../content/store.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { matchesDigest, type Digest } from '../domain/oci/digest.ts';
import { combineFailures, listFailures, tryAll } from './collect-failures.ts';
import { imageName, type GatheredImage } from './gather-images.ts';
import { isLargeBlob } from './wrap-entries.ts';

interface WantedBlob {
  readonly blob: Descriptor;
  readonly users: [GatheredImage, ...GatheredImage[]];
}

/**
 * The blobs that go into deflated members: their bytes must be known before anything has its place. `kept` is not fetched again;
 * what several images share comes from the first of their repositories that gives it.
 */
export async function readSmallBlobs(
  images: readonly GatheredImage[],
  kept: readonly Buffer[],
  options: ConcurrencyOptions,
  onBytes: (sizeBytes: number) => void,
): Promise<Map<Digest, Uint8Array>> {
  const wanted = new Map<Digest, WantedBlob>();
  for (const gathered of images) {
    for (const blob of gathered.image.graph.blobs) {
      const users = wanted.get(blob.digest)?.users;
      if (isLargeBlob(blob)) continue;
      if (users === undefined) wanted.set(blob.digest, { blob, users: [gathered] });
      else users.push(gathered);
    }
  }
  const blobs = [...wanted.values()];
  const outcomes = await tryAll(blobs, options, async ({ blob, users }, signal) => {
    const found = kept.find((bytes) => bytes.length === blob.size && matchesDigest(bytes, blob.digest));
    if (found !== undefined) {
      onBytes(blob.size);
      return [blob.digest, found] as const;
    }
    const bytes = await readFromAny(listStores(users), signal, async (store) =>
      readBlobBytes(store, blob, { signal, onBytes }),
    );
    return [blob.digest, bytes] as const;
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

/** The repositories of the images, each once. */
function listStores([first, ...others]: WantedBlob['users']): [ReadableStore, ...ReadableStore[]] {
  const stores = new Map(others.map(({ store }) => [store.name, store]));
  stores.delete(first.store.name);
  return [first.store, ...stores.values()];
}
