import { layerPath, TAR_MANIFEST_PATH } from '../domain/carvel/tar-manifest.ts';
import { DtError } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { TAR_END_BYTES, tarPaddingBytes } from './tar-header.ts';
import { encodeUstarHeader } from './ustar-header.ts';

const ENTRY_MODE = 0o644;
/** A petabyte; sizes beyond it come from manifests that lie. */
const MAX_TAR_BYTES = 2 ** 50;

/** The place of a layer in a bundle tar. */
export interface PlannedLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly header: Buffer;
  /** Of its header. */
  readonly offset: number;
}

/** Where every byte of a bundle tar goes, before the first layer has arrived. */
export interface BundleTarPlan {
  /** The first entry, with header and padding. */
  readonly start: Buffer;
  readonly layers: readonly PlannedLayer[];
  readonly totalBytes: number;
}

/** Lays out a bundle tar: the table of contents, then each layer once, by name. Throws DT_LIMIT_EXCEEDED. */
export function planBundleTar(
  tarManifest: Uint8Array,
  layers: readonly { readonly digest: Digest; readonly size: number }[],
): BundleTarPlan {
  const start = Buffer.concat([
    encodeHeader(TAR_MANIFEST_PATH, tarManifest.length),
    tarManifest,
    Buffer.alloc(tarPaddingBytes(tarManifest.length)),
  ]);
  const sizes = new Map(layers.map(({ digest, size }) => [digest, size]));
  const named = [...sizes].map(([digest, sizeBytes]) => ({ path: layerPath(digest), digest, sizeBytes }));
  named.sort((left, right) => (left.path < right.path ? -1 : 1));
  let offset = start.length;
  const planned = named.map(({ path, digest, sizeBytes }): PlannedLayer => {
    const header = encodeHeader(path, sizeBytes);
    const layer = { digest, sizeBytes, header, offset };
    offset += header.length + sizeBytes + tarPaddingBytes(sizeBytes);
    return layer;
  });
  const totalBytes = offset + TAR_END_BYTES;
  if (totalBytes > MAX_TAR_BYTES) {
    throw new DtError('DT_LIMIT_EXCEEDED', `the images have more than ${String(MAX_TAR_BYTES)} bytes`);
  }
  return { start, layers: planned, totalBytes };
}

function encodeHeader(path: string, sizeBytes: number): Buffer {
  return encodeUstarHeader({ path, type: 'file', mode: ENTRY_MODE, sizeBytes });
}
