import { DtError } from '../errors.ts';
import { JsonFields } from '../json-fields.ts';
import type { LockImage } from '../lock/images-lock.ts';
import type { AttachedArtifact } from '../oci/attached-artifact.ts';
import type { Digest } from '../oci/digest.ts';
import { isLayoutName } from '../oci/image-layout.ts';
import { keyOfImage } from './check-wrap-lock.ts';
import { readAttachedArtifact } from './parse-wrap-document.ts';
import { parseJson, requireBoundedJson } from './wrap-json.ts';

/** Beside the layouts. What reads layouts without it knows the platforms, but neither indexes nor signatures. */
export const PULLED_IMAGES_NAME = 'images.json';
/** What a pull that is on its way, or was killed, has beside the layouts. */
export const PULL_LOCK_NAME = '.dt-pull.lock';
export const PULL_STAGING_NAME = '.dt-pull.tmp';

const FORMAT_VERSION = 1;

/** What was pulled for an image of a lock. */
export interface PulledImage extends Pick<LockImage, 'chart' | 'name' | 'image'> {
  /** The index or manifest that the reference had. */
  readonly root: Digest;
  /** The manifests of the lock. */
  readonly digests: readonly Digest[];
  /** True if children of the index were left out. */
  readonly isFiltered: boolean;
  readonly attached: readonly AttachedArtifact[];
}

const FIELDS = new JsonFields(invalid);

/** The bytes of `images.json`. Throws DT_LIMIT_EXCEEDED. */
export function formatPulledImages(images: readonly PulledImage[]): Buffer {
  const bytes = Buffer.from(`${JSON.stringify({ formatVersion: FORMAT_VERSION, images }, null, 1)}\n`);
  requireBoundedJson(bytes, PULLED_IMAGES_NAME);
  return bytes;
}

/** Reads and checks `images.json`. Throws DT_WRAP_UNSUPPORTED, DT_LIMIT_EXCEEDED, DT_WRAP_INVALID. */
export function parsePulledImages(bytes: Uint8Array): PulledImage[] {
  const root = FIELDS.record(parseJson(bytes, PULLED_IMAGES_NAME), 'the document');
  if (root['formatVersion'] !== FORMAT_VERSION) {
    throw new DtError('DT_WRAP_UNSUPPORTED', `${PULLED_IMAGES_NAME} was made by a newer version of dt`);
  }
  return FIELDS.list(root['images'], 'images').map((value) => {
    const record = FIELDS.record(value, 'an image');
    return {
      chart: FIELDS.text(record['chart'], 'the chart of an image'),
      name: FIELDS.text(record['name'], 'the name of an image'),
      image: FIELDS.text(record['image'], 'the reference of an image'),
      root: FIELDS.digest(record['root']),
      digests: FIELDS.list(record['digests'], 'the digests of an image').map((digest) => FIELDS.digest(digest)),
      isFiltered: record['isFiltered'] === true,
      attached: FIELDS.list(record['attached'], 'the artifacts of an image').map((item) =>
        readAttachedArtifact(item, FIELDS),
      ),
    };
  });
}

/** The images of an earlier pull into the same folder that a new one has not pulled again, then those of the new one. */
export function mergePulledImages(before: readonly PulledImage[], now: readonly PulledImage[]): PulledImage[] {
  return [...new Map([...before, ...now].map((image) => [keyOfImage(image), image])).values()];
}

/** The names in a folder of a chart without what pulls of its images have put there. */
export function withoutPulledImages(names: readonly string[]): string[] {
  const hasLayouts = names.some(isLayoutName);
  return names.filter(
    (name) =>
      !isLayoutName(name) &&
      !name.startsWith(PULL_LOCK_NAME) &&
      name !== PULL_STAGING_NAME &&
      !(hasLayouts && name === PULLED_IMAGES_NAME),
  );
}

/**
 * What was pulled for an image of a lock. A relocation changes the reference; chart, name and digests tell the image then, and the
 * tag if there are several.
 */
export function findPulledImage(images: readonly PulledImage[], wanted: LockImage): PulledImage | undefined {
  const digests = sortDigests(wanted.digests.map(({ digest }) => digest));
  const suffix = wanted.image.slice(wanted.image.lastIndexOf('/') + 1);
  const candidates = images.filter(
    (image) => image.chart === wanted.chart && image.name === wanted.name && sortDigests(image.digests) === digests,
  );
  return (
    candidates.find(({ image }) => image === wanted.image) ??
    candidates.findLast(({ image }) => image.endsWith(`/${suffix}`)) ??
    candidates.at(-1)
  );
}

function sortDigests(digests: readonly Digest[]): string {
  return digests.toSorted().join(' ');
}

function invalid(why: string): DtError {
  return new DtError('DT_WRAP_INVALID', `${PULLED_IMAGES_NAME} beside the layouts is not valid: ${why}`);
}
