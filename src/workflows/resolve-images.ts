import { readBlobBytes } from '../content/read-blob-bytes.ts';
import { retryMismatch } from '../content/retry-mismatch.ts';
import type { ReadableStore } from '../content/store.ts';
import type { ChartImage } from '../domain/chart/images-annotation.ts';
import type { ResolvedImage } from '../domain/lock/lock-platforms.ts';
import type { ManifestContent } from '../domain/oci/descriptor.ts';
import { MAX_MANIFEST_BYTES, parseManifest, type ImageManifest } from '../domain/oci/manifest.ts';
import { readPlatform, type Platform } from '../domain/oci/platform.ts';
import { parseReference, referenceIdentifier, type Reference } from '../domain/oci/reference.ts';
import { askRegistries } from './ask-registries.ts';
import { combineFailures, listFailures } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { openRepository } from './registry-stores.ts';

/** What the reference of an image points to right now. */
export interface SourceImage {
  readonly image: ChartImage;
  readonly store: ReadableStore;
  /** The index or manifest itself. */
  readonly root: ManifestContent;
  readonly resolved: ResolvedImage;
}

/**
 * Asks the registries for every image, each reference once and many side by side, and returns them in the order given.
 * All are tried: one error names all that failed.
 */
export async function resolveImages(images: readonly ChartImage[], context: RunContext): Promise<SourceImage[]> {
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
  if (manifest.kind === 'index') return { store, root, resolved: { kind: 'index', index: manifest } };
  const platform = await readConfigPlatform(store, manifest, signal);
  return { store, root, resolved: { kind: 'manifest', digest: root.descriptor.digest, platform } };
}

/** The platform that the config of an image names. https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md */
export async function readConfigPlatform(
  store: ReadableStore,
  manifest: ImageManifest,
  signal: AbortSignal,
): Promise<Platform | undefined> {
  const { config } = manifest;
  if (config.size > MAX_MANIFEST_BYTES) return undefined;
  const bytes = await readBlobBytes(store, config, { signal });
  try {
    return readPlatform(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}
