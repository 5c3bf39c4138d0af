import { readConfigPlatform, readLeaves } from '../../content/read-leaves.ts';
import { retryMismatch } from '../../content/retry-mismatch.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import type { LockImage } from '../../domain/lock/images-lock.ts';
import type { ResolvedImage } from '../../domain/lock/lock-platforms.ts';
import type { ManifestContent } from '../../domain/oci/descriptor.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { parseReference, referenceIdentifier, type Reference } from '../../domain/oci/reference.ts';
import { askRegistries } from '../ask-registries.ts';
import { combineFailures, listFailures } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';

/** An image as a lock will name it. */
export type NamedReference = Pick<LockImage, 'chart' | 'name' | 'image'>;

/** What the reference of an image points to right now. */
export interface SourceImage {
  readonly image: NamedReference;
  readonly store: RegistryStore;
  /** The index or manifest itself. */
  readonly root: ManifestContent;
  readonly resolved: ResolvedImage;
}

/**
 * Asks the registries for every image, each reference once and many side by side, and returns them in the order given.
 * All are tried: one error names all that failed.
 */
export async function resolveImages(images: readonly NamedReference[], context: RunContext): Promise<SourceImage[]> {
  const references = [...new Set(images.map(({ image }) => image))].map((text) => ({ text, ...parseReference(text) }));
  const outcomes = await askRegistries(
    references,
    {
      registryOf: ({ registry }) => registry,
      refusesCredential: (registry) => context.clients.forRegistry(registry).hasRefusedCredential,
    },
    context,
    async (reference, signal) => resolveReference(reference, context, signal),
  );
  const failures = listFailures(references, outcomes, ({ text }) => text);
  if (failures.length > 0) throw combineFailures(failures, { totalCount: references.length, verb: 'resolved' });
  const byReference = new Map(references.map(({ text }, index) => [text, outcomes[index]]));
  return images.map((image) => {
    const outcome = byReference.get(image.image);
    if (outcome === undefined || 'error' in outcome) throw new TypeError(`image ${image.image} was not resolved`);
    return { image, ...outcome.result };
  });
}

async function resolveReference(
  reference: Reference,
  context: RunContext,
  signal: AbortSignal,
): Promise<Omit<SourceImage, 'image'>> {
  const store = openRepository(context, reference);
  const root = await retryMismatch(store, async (bypassesCaches) =>
    store.readManifest(referenceIdentifier(reference), { signal, bypassesCaches }),
  );
  const manifest = parseManifest(root);
  if (manifest.kind === 'index') {
    const leaves = await readLeaves(store, manifest, { concurrency: context.concurrency, signal });
    return { store, root, resolved: { kind: 'index', leaves } };
  }
  const platform = await readConfigPlatform(store, manifest, signal);
  return { store, root, resolved: { kind: 'manifest', digest: root.descriptor.digest, platform } };
}
