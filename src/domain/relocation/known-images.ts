import { DEFAULT_TAG, formatRepository, type Reference } from '../oci/reference.ts';

/** The images that a chart declares (annotations, locks): evidence that a text in its values names an image. */
export interface KnownImages {
  readonly references: readonly Reference[];
  /** True if the chart declares an image of this repository, whatever its tag. */
  hasRepository(reference: Reference): boolean;
  /** True if the chart declares this image with this tag or this digest. */
  hasImage(reference: Reference): boolean;
}

/** Indexes declared images. They are parsed references, as the chart names them. */
export function createKnownImages(references: readonly Reference[]): KnownImages {
  const byRepository = new Map<string, Reference[]>();
  for (const reference of references) {
    const name = formatRepository(reference);
    byRepository.set(name, [...(byRepository.get(name) ?? []), reference]);
  }
  return {
    references,
    hasRepository: (reference) => byRepository.has(formatRepository(reference)),
    hasImage: (reference) =>
      (byRepository.get(formatRepository(reference)) ?? []).some((known) => isSameImage(known, reference)),
  };
}

function isSameImage(known: Reference, other: Reference): boolean {
  if (known.digest !== undefined && known.digest === other.digest) return true;
  return tagOf(known) !== undefined && tagOf(known) === tagOf(other);
}

function tagOf(reference: Reference): string | undefined {
  return reference.tag ?? (reference.digest === undefined ? DEFAULT_TAG : undefined);
}
