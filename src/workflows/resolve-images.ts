import { buffer } from 'node:stream/consumers';
import { mapConcurrently } from '../content/map-concurrently.ts';
import type { ReadableStore } from '../content/store.ts';
import { verifyBlob } from '../content/verified-stream.ts';
import type { ChartImage } from '../domain/chart/images-annotation.ts';
import { DtError, errorMessage, findWorstError, isDtError } from '../domain/errors.ts';
import type { ResolvedImage } from '../domain/lock/lock-platforms.ts';
import type { ManifestContent } from '../domain/oci/descriptor.ts';
import { MAX_MANIFEST_BYTES, parseManifest, type ImageManifest } from '../domain/oci/manifest.ts';
import { readPlatform, type Platform } from '../domain/oci/platform.ts';
import { parseReference, referenceIdentifier } from '../domain/oci/reference.ts';
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
 * All are tried: of several failures one error names them all.
 */
export async function resolveImages(images: readonly ChartImage[], context: RunContext): Promise<SourceImage[]> {
  const references = [...new Set(images.map(({ image }) => image))];
  const failures: { reference: string; error: unknown }[] = [];
  const results = await mapConcurrently(references, context, async (reference, signal) => {
    try {
      return await resolveReference(reference, context, signal);
    } catch (error) {
      context.signal.throwIfAborted();
      failures.push({ reference, error });
      return undefined;
    }
  });
  if (failures.length > 0) throw combineFailures(failures);
  const byReference = new Map(references.map((reference, index) => [reference, results[index]]));
  return images.map((image) => {
    const source = byReference.get(image.image);
    if (source === undefined) throw new TypeError(`image ${image.image} was not resolved`);
    return { image, ...source };
  });
}

async function resolveReference(
  text: string,
  context: RunContext,
  signal: AbortSignal,
): Promise<Omit<SourceImage, 'image'>> {
  const reference = parseReference(text);
  const store = openRepository(context, reference);
  const root = await store.readManifest(referenceIdentifier(reference), signal);
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
  const bytes = await buffer(verifyBlob(await store.openBlob(config, { signal }), config, store.name));
  try {
    return readPlatform(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

function combineFailures(failures: readonly { reference: string; error: unknown }[]): unknown {
  const [first] = failures;
  if (failures.length === 1 || first === undefined) return first?.error;
  const worst = findWorstError(failures.map(({ error }) => error).filter((error) => isDtError(error)));
  if (worst === undefined) return first.error;
  return new DtError(worst.code, `${String(failures.length)} images cannot be resolved`, {
    detail: failures
      .map(({ reference, error }) => `${reference}: ${errorMessage(error).replaceAll(/\s+/g, ' ')}`)
      .join('; '),
    hints: worst.hints,
    cause: worst,
  });
}
