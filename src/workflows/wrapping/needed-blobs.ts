import type { ReadableStore } from '../../content/store.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import type { GatheredContent } from './gather-images.ts';

/** A blob with all that need it. */
export interface NeededBlob {
  readonly descriptor: Descriptor;
  readonly users: [GatheredContent, ...GatheredContent[]];
}

/** The blobs of the contents that a filter wants, each once. */
export function groupBlobs(
  contents: readonly GatheredContent[],
  isWanted: (blob: Descriptor) => boolean,
): Map<Digest, NeededBlob> {
  const needed = new Map<Digest, NeededBlob>();
  for (const content of contents) {
    for (const descriptor of content.graphs.flatMap(({ blobs }) => blobs).filter(isWanted)) {
      const blob = needed.get(descriptor.digest);
      if (blob === undefined) needed.set(descriptor.digest, { descriptor, users: [content] });
      else blob.users.push(content);
    }
  }
  return needed;
}

/** The repositories that have a blob, each once, in the order of those that need it. */
export function listStores({ users: [first, ...others] }: NeededBlob): [ReadableStore, ...ReadableStore[]] {
  const stores = new Map(others.map(({ store }) => [store.name, store]));
  stores.delete(first.store.name);
  return [first.store, ...stores.values()];
}
