import type { ConcurrencyOptions } from '../../content/map-concurrently.ts';
import type { BlobListener } from '../../content/copy-job.ts';
import { readBlobBytes } from '../../content/read-blob-bytes.ts';
import { readFromAny } from '../../content/read-from-any.ts';
import { matchesDigest, type Digest } from '../../domain/oci/digest.ts';
import { combineFailures, listFailures, tryAll, type Outcome } from '../collect-failures.ts';
import { explainBlob } from './explain-artifact.ts';
import type { GatheredContent } from './gather-images.ts';
import { isLargeBlob } from './layout-writer.ts';
import { groupBlobs, listStores } from './needed-blobs.ts';

/**
 * The blobs that go into deflated members: their bytes must be known before anything has its place. `kept` is not fetched again;
 * what several of the contents share comes from the first of their repositories that gives it.
 */
export async function readSmallBlobs(
  contents: readonly GatheredContent[],
  kept: readonly Buffer[],
  options: ConcurrencyOptions,
  onBytes: BlobListener,
): Promise<Map<Digest, Uint8Array>> {
  const needed = [...groupBlobs(contents, (blob) => !isLargeBlob(blob)).values()];
  const outcomes = await tryAll(needed, options, async (item, signal) => {
    const blob = item.descriptor;
    const found = kept.find((bytes) => bytes.length === blob.size && matchesDigest(bytes, blob.digest));
    if (found !== undefined) {
      onBytes(blob, blob.size, false);
      return [blob.digest, found] as const;
    }
    const bytes = await readFromAny(listStores(item), signal, async (store) =>
      readBlobBytes(store, blob, {
        signal,
        onBytes: (sizeBytes) => {
          onBytes(blob, sizeBytes, true);
        },
      }),
    );
    return [blob.digest, bytes] as const;
  });
  const users = needed.flatMap((item, index) =>
    item.users.map((user) => ({ user, outcome: explainOutcome(outcomes[index], item.descriptor.digest, user) })),
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
  digest: Digest,
  user: GatheredContent,
): Outcome<Result> | undefined {
  if (outcome === undefined || 'result' in outcome) return outcome;
  return { error: explainBlob(outcome.error, user, digest) };
}
