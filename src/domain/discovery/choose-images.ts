import type { ChartImage } from '../chart/images-annotation.ts';
import { parseReference, DEFAULT_TAG, type Reference } from '../oci/reference.ts';
import type { Confidence, DiscoveredImage } from './discovered-image.ts';

/** An image that a lock is to have. */
export interface ChosenImage {
  readonly chart: string;
  readonly name: string;
  /** As the annotation has it, or as discovery wrote it. */
  readonly image: string;
  /** True for one that only looks like an image: a registry that does not have it proves that it is none. */
  readonly isGuess: boolean;
  /** What it was found as; absent for one that an annotation names. */
  readonly found?: DiscoveredImage;
}

/** A digest that the rendering asks for, of an image that is declared by its tag alone. */
export interface PinnedImage {
  /** As the annotation has it. */
  readonly declared: string;
  readonly reference: string;
  readonly digest: string;
}

export interface ChosenImages {
  /** What annotations name, as it stands there, then what they do not name, by reference. */
  readonly images: readonly ChosenImage[];
  readonly pinned: readonly PinnedImage[];
  /** Found, and not chosen. */
  readonly leftOut: readonly DiscoveredImage[];
}

/**
 * The images for a lock: all that annotations name, then those that the chart declares in another way or that its rendering
 * runs, and with `includesLikely` those that only look like images. An image is there once, however it is written; one with a tag and a
 * digest is covered by one with the same digest, or with the same tag and no digest.
 */
export function chooseImages(
  annotated: readonly ChartImage[],
  found: readonly DiscoveredImage[],
  { includesLikely }: { readonly includesLikely: boolean },
): ChosenImages {
  const declared = annotated.map((image) => ({ ...image, reference: parseReference(image.image) }));
  const names = new Set(annotated.map(({ name }) => name));
  const wanted: readonly Confidence[] = ['declared', 'rendered', ...(includesLikely ? ['likely' as const] : [])];
  const added: DiscoveredImage[] = [];
  const leftOut: DiscoveredImage[] = [];
  const pinned: PinnedImage[] = [];
  for (const image of found) {
    const reference = parseReference(image.reference);
    const covering = declared.find((candidate) => covers(candidate.reference, reference));
    if (covering === undefined) {
      (wanted.includes(image.confidence) && image.isComplete ? added : leftOut).push(image);
    } else if (covering.reference.digest === undefined && reference.digest !== undefined) {
      pinned.push({ declared: covering.image, reference: image.reference, digest: reference.digest });
    }
  }
  const images = added.toSorted(byReference).map((image) => ({
    chart: image.chart,
    name: takeName(image.name, names),
    image: image.reference,
    isGuess: image.confidence === 'likely',
    found: image,
  }));
  return {
    images: [...annotated.map(({ chart, name, image }) => ({ chart, name, image, isGuess: false })), ...images],
    pinned,
    leftOut,
  };
}

/** True if whoever has the first image has the second one too. */
export function covers(have: Reference, wanted: Reference): boolean {
  if (have.registry !== wanted.registry || have.repository !== wanted.repository) return false;
  if (have.digest !== undefined && wanted.digest !== undefined) return have.digest === wanted.digest;
  return tagOf(have) === tagOf(wanted);
}

function tagOf({ tag, digest }: Reference): string | undefined {
  return tag ?? (digest === undefined ? DEFAULT_TAG : undefined);
}

function byReference(left: DiscoveredImage, right: DiscoveredImage): number {
  return left.reference < right.reference ? -1 : left.reference > right.reference ? 1 : 0;
}

/** The name, or the next free one: `app`, `app-2`, `app-3`. */
function takeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}-${String(count)}`;
  taken.add(free);
  return free;
}
