import type { ConcurrencyOptions } from '../../content/map-concurrently.ts';
import { readBlobBytes } from '../../content/read-blob-bytes.ts';
import { readFromAny } from '../../content/read-from-any.ts';
import type { ReadableStore } from '../../content/store.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import { matchesDigest, type Digest } from '../../domain/oci/digest.ts';
import { combineFailures, listFailures, tryAll, type Outcome } from '../collect-failures.ts';
import { explainArtifact } from './explain-artifact.ts';
import type { GatheredContent } from './gather-images.ts';
import { isLargeBlob } from './layout-writer.ts';

interface WantedBlob {
  readonly blob: Descriptor;
  readonly users: [GatheredContent, ...GatheredContent[]];
}

/**
 * The blobs that go into deflated members: their bytes must be known before anything has its place. `kept` is not fetched again;
 * what several of the contents share comes from the first of their repositories that gives it.
 */
export async function readSmallBlobs(
  contents: readonly GatheredContent[],
  kept: readonly Buffer[],
  options: ConcurrencyOptions,
  onBytes: (sizeBytes: number) => void,
): Promise<Map<Digest, Uint8Array>> {
  const wanted = new Map<Digest, WantedBlob>();
  for (const content of contents) {
    for (const blob of content.graphs.flatMap(({ blobs }) => blobs)) {
      const users = wanted.get(blob.digest)?.users;
      if (isLargeBlob(blob)) continue;
      if (users === undefined) wanted.set(blob.digest, { blob, users: [content] });
      else users.push(content);
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
  const users = blobs.flatMap((item, index) =>
    item.users.map((user) => ({ user, outcome: explainOutcome(outcomes[index], item.blob, user) })),
  );
  const failures = listFailures(
    users,
    users.map(({ outcome }) => outcome),
    ({ user }) => user.name,
  );
  if (failures.length > 0) throw combineFailures(failures, { totalCount: contents.length, verb: 'pulled' });
  return new Map(outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : [])));
}

function explainOutcome<Result>(
  outcome: Outcome<Result> | undefined,
  { digest }: Descriptor,
  user: GatheredContent,
): Outcome<Result> | undefined {
  if (outcome === undefined || 'result' in outcome) return outcome;
  const failed = user.graphs.find(({ blobs }) => blobs.some((blob) => blob.digest === digest));
  return { error: explainArtifact(outcome.error, user, failed) };
}

/** The repositories of the contents, each once. */
function listStores([first, ...others]: WantedBlob['users']): [ReadableStore, ...ReadableStore[]] {
  const stores = new Map(others.map(({ store }) => [store.name, store]));
  stores.delete(first.store.name);
  return [first.store, ...stores.values()];
}
