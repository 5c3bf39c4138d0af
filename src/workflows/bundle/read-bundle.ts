import { buffer } from 'node:stream/consumers';
import { readBlobBytes } from '../../content/read-blob-bytes.ts';
import { readLayer } from '../../content/read-layer.ts';
import type { ReadableStore } from '../../content/store.ts';
import type { TarLimits } from '../../archive/unpack-tar.ts';
import { isBundleConfig } from '../../domain/carvel/bundle-image.ts';
import { CARVEL_LOCK_PATH } from '../../domain/carvel/carvel-lock.ts';
import {
  MAX_CARVEL_LOCK_BYTES,
  parseImagesLock,
  type LockedCarvelImage,
} from '../../domain/carvel/parse-carvel-lock.ts';
import { DtError } from '../../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../../domain/oci/descriptor.ts';
import { MAX_MANIFEST_BYTES, parseManifest } from '../../domain/oci/manifest.ts';

const MAX_LAYER_ENTRIES = 1_000_000;
const MIN_UNPACKED_BYTES = 2 ** 30;
/** Texts shrink to a tenth; what unpacks to more than this was made to fill disks. */
const MAX_EXPANSION = 200;

/** What a layer may unpack to. */
export function limitsOf(layer: Descriptor): TarLimits {
  return { maxEntries: MAX_LAYER_ENTRIES, maxTotalBytes: Math.max(MIN_UNPACKED_BYTES, layer.size * MAX_EXPANSION) };
}

/** The images of the lock of a bundle; undefined for an image that is no bundle. Throws what `readBundleLock` throws. */
export async function findBundledImages(
  store: ReadableStore,
  root: ManifestContent,
  signal: AbortSignal,
): Promise<readonly LockedCarvelImage[] | undefined> {
  const manifest = parseManifest(root);
  if (manifest.kind === 'index' || manifest.config.size > MAX_MANIFEST_BYTES) return undefined;
  if (!isBundleConfig(await readBlobBytes(store, manifest.config, { signal }))) return undefined;
  const name = `${CARVEL_LOCK_PATH} of the bundle ${store.name}@${root.descriptor.digest}`;
  const bytes = await readLayerFile(store, manifest.layers, { path: CARVEL_LOCK_PATH, name }, signal);
  return parseImagesLock(bytes, name);
}

/**
 * A small file of an image; where several layers have it, the last one counts. Throws DT_LOCK_INVALID without such a file, DT_LIMIT_EXCEEDED, and
 * as `readLayer`.
 */
export async function readLayerFile(
  store: ReadableStore,
  layers: readonly Descriptor[],
  { path, name }: { readonly path: string; readonly name: string },
  signal: AbortSignal,
): Promise<Buffer> {
  for (const layer of layers.toReversed()) {
    let found: Buffer | undefined;
    await readLayer(store, layer, { limits: limitsOf(layer), signal }, async (entry, content) => {
      if (entry.path !== path || entry.type !== 'file') return;
      if (entry.sizeBytes > MAX_CARVEL_LOCK_BYTES) {
        throw new DtError('DT_LIMIT_EXCEEDED', `${name} has more than ${String(MAX_CARVEL_LOCK_BYTES)} bytes`);
      }
      found = await buffer(content);
    });
    if (found !== undefined) return found;
  }
  throw new DtError('DT_LOCK_INVALID', `${name} is missing`);
}
