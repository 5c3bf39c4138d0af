import { DEFAULT_TAG, parseReference } from '../oci/reference.ts';
import { digestHex } from '../oci/digest.ts';
import type { LockImage } from '../lock/images-lock.ts';

const IMAGE_ARTIFACTS_FOLDER = 'artifacts/images';
const FILE_NAME_PATTERN = /^[A-Za-z0-9_-][A-Za-z0-9_.+-]*$/;

/** Where the Go dt keeps the metadata of the chart; that of its signature is this with `.sig` behind it. */
export const CHART_METADATA_PATH = 'artifacts/chart/metadata';

/**
 * Where the Go dt keeps the artifacts of an image in a wrap, but for the suffix: `.sig`, `.metadata`, `.metadata.sig`. It names them
 * by the tag of the image, or by the hexadecimal part of its digest. Undefined for names that are no names of files.
 */
export function goArtifactPath({ chart, name, image }: LockImage): string | undefined {
  const { tag, digest } = parseReference(image);
  const identifier = tag ?? (digest === undefined ? DEFAULT_TAG : digestHex(digest));
  const parts = [chart, name, identifier].filter((part) => part !== '');
  return parts.every((part) => FILE_NAME_PATTERN.test(part)) ? [IMAGE_ARTIFACTS_FOLDER, ...parts].join('/') : undefined;
}
