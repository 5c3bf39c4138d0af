import type { Graph } from '../../content/read-graph.ts';
import type { ReadableStore } from '../../content/store.ts';
import type { LockedCarvelImage } from '../../domain/carvel/parse-carvel-lock.ts';
import type { PinnedReference } from '../../domain/carvel/pinned-reference.ts';
import type { AttachedArtifact } from '../../domain/oci/attached-artifact.ts';

/** A bundle, an image of one, or what is attached to either, with everything that it needs. */
export interface CarriedImage {
  /** Where it is now. */
  readonly reference: PinnedReference;
  /** As the lock names it; empty for what no lock names. */
  readonly origin: string;
  readonly store: ReadableStore;
  readonly graph: Graph;
  /** The tag that it shall have in the target. */
  readonly tag?: string;
  /** It was asked for itself. */
  readonly isRoot: boolean;
  /** Of a bundle: the images of its lock. */
  readonly bundled?: readonly LockedCarvelImage[];
  /** The relation to an image, for what is attached to one. */
  readonly artifact?: AttachedArtifact;
}

/** What messages call it. */
export function nameCarried({ reference }: Pick<CarriedImage, 'reference'>): string {
  return `${reference.registry}/${reference.repository}@${reference.digest}`;
}
