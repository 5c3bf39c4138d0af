import { readConfigPlatform, readLeaves } from '../../content/read-leaves.ts';
import { retryMismatch } from '../../content/retry-mismatch.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import type { LockImage } from '../../domain/lock/images-lock.ts';
import type { ResolvedImage } from '../../domain/lock/lock-platforms.ts';
import type { ManifestContent } from '../../domain/oci/descriptor.ts';
import { isDtError, type DtError } from '../../domain/errors.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { parseReference, referenceIdentifier, type Reference } from '../../domain/oci/reference.ts';
import { askRegistries } from '../ask-registries.ts';
import { combineFailures, listFailures, type Outcome } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';

/** An image as a lock will name it. */
export interface NamedReference extends Pick<LockImage, 'chart' | 'name' | 'image'> {
  /** True for one that only looks like an image. */
  readonly isGuess?: boolean;
}

/** What a registry, or a host that is none, answers about a text that is no image. */
export const NO_IMAGE_CODES = [
  'DT_NOT_FOUND',
  'DT_AUTH_REQUIRED',
  'DT_AUTH_DENIED',
  'DT_REGISTRY_UNREACHABLE',
] as const;

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
 * All are tried: one error names all that failed. A guess that is not there is left out with a warning.
 */
export async function resolveImages(images: readonly NamedReference[], context: RunContext): Promise<SourceImage[]> {
  const certain = new Set(images.flatMap(({ image, isGuess }) => (isGuess === true ? [] : [image])));
  const { references, outcomes } = await resolveReferences(images, context);
  const missing = new Set<string>();
  const failures = listFailures(references, outcomes, ({ text }) => text).filter(({ image, error }) => {
    if (certain.has(image) || !isDtError(error, ...NO_IMAGE_CODES)) return true;
    missing.add(image);
    context.reporter.warn(`${image} only looks like an image of the chart and is left out: ${error.message}`);
    return false;
  });
  if (failures.length > 0) throw combineFailures(failures, { totalCount: references.length, verb: 'resolved' });
  const byReference = new Map(references.map(({ text }, index) => [text, outcomes[index]]));
  return images
    .filter(({ image }) => !missing.has(image))
    .map((image) => {
      const outcome = byReference.get(image.image);
      if (outcome === undefined || 'error' in outcome) throw new TypeError(`image ${image.image} was not resolved`);
      return { image, ...outcome.result };
    });
}

/** What stands in the way of images, by their references. */
export async function findUnresolved(
  images: readonly NamedReference[],
  context: RunContext,
): Promise<ReadonlyMap<string, DtError>> {
  const { references, outcomes } = await resolveReferences(images, context);
  return new Map(listFailures(references, outcomes, ({ text }) => text).map(({ image, error }) => [image, error]));
}

type NamedText = Reference & { readonly text: string };
type Resolution = Outcome<Omit<SourceImage, 'image'>>;

/** What every reference points to, each once, or why nobody knows. */
export async function resolveReferences(
  images: readonly NamedReference[],
  context: RunContext,
): Promise<{ readonly references: readonly NamedText[]; readonly outcomes: readonly Resolution[] }> {
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
  return { references, outcomes };
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
