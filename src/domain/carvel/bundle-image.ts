import { formatGoJson, sortedByKey } from '../chart/go-json.ts';
import { DtError } from '../errors.ts';
import type { Descriptor, ManifestContent } from '../oci/descriptor.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import {
  MEDIA_TYPE_DOCKER_CONFIG,
  MEDIA_TYPE_DOCKER_LAYER_GZIP,
  MEDIA_TYPE_DOCKER_MANIFEST,
} from '../oci/media-types.ts';

/** An image with this label is a bundle, whatever its value. https://carvel.dev/imgpkg/docs/latest/resources/#bundle */
export const BUNDLE_LABEL = 'dev.carvel.imgpkg.bundle';
const ZERO_TIME = '0001-01-01T00:00:00Z';
const AUTHOR = 'imgpkg';

/** A compressed layer with the digest of what it unpacks to. */
export interface BundleLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly diffId: Digest;
}

/** An image of one layer, ready to be pushed. */
export interface BundleImage {
  readonly manifest: ManifestContent;
  readonly config: ManifestContent;
  readonly layer: Descriptor;
}

/** Builds an image as imgpkg pushes it: the same layer and labels give the same digest. */
export function buildBundleImage(layer: BundleLayer, labels: Readonly<Record<string, string>>): BundleImage {
  const config = toContent(
    MEDIA_TYPE_DOCKER_CONFIG,
    formatGoJson({
      architecture: '',
      created: ZERO_TIME,
      history: [{ author: AUTHOR, created: ZERO_TIME, created_by: AUTHOR }],
      os: '',
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      config: Object.keys(labels).length === 0 ? {} : { Labels: sortedByKey(labels) },
    }),
  );
  const descriptor = { mediaType: MEDIA_TYPE_DOCKER_LAYER_GZIP, size: layer.sizeBytes, digest: layer.digest };
  const { mediaType, size, digest } = config.descriptor;
  const manifest = formatGoJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE_DOCKER_MANIFEST,
    config: { mediaType, size, digest },
    layers: [descriptor],
  });
  return { config, manifest: toContent(MEDIA_TYPE_DOCKER_MANIFEST, manifest), layer: descriptor };
}

/** The labels of a bundle: those given, and the one that makes it a bundle. Throws DT_USAGE if that is among those given. */
export function bundleLabels(
  labels: Readonly<Record<string, string>>,
  isBundle: boolean,
): Readonly<Record<string, string>> {
  if (BUNDLE_LABEL in labels) {
    throw new DtError('DT_USAGE', `the label ${BUNDLE_LABEL} cannot be given: it is what makes an image a bundle`);
  }
  return isBundle ? { ...labels, [BUNDLE_LABEL]: 'true' } : labels;
}

/** True for the config of a bundle; false for anything else, also for what is no config. */
export function isBundleConfig(bytes: Uint8Array): boolean {
  try {
    const document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as {
      config?: { Labels?: object | null } | null;
    } | null;
    const labels = document?.config?.Labels;
    return typeof labels === 'object' && labels !== null && Object.hasOwn(labels, BUNDLE_LABEL);
  } catch {
    return false;
  }
}

function toContent(mediaType: string, text: string): ManifestContent {
  const bytes = new TextEncoder().encode(text);
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
