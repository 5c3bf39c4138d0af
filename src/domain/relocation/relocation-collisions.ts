import { DtError } from '../errors.ts';
import { DEFAULT_TAG, formatReference, formatRepository, type Reference } from '../oci/reference.ts';

/** Several images that a relocation would push under one name. */
export interface RelocationCollision {
  /** `registry/repository:tag` under the prefix. */
  readonly target: string;
  /** The images as the chart names them, in the order given. Harmless if all of them have the same digest. */
  readonly sources: readonly Reference[];
}

/**
 * Finds images that would overwrite each other under the prefix: only the end of a repository survives a relocation.
 * References with a digest and no tag cannot collide. The caller knows digests and decides whether it matters.
 */
export function findRelocationCollisions(
  references: readonly Reference[],
  relocate: (reference: Reference) => Reference,
): readonly RelocationCollision[] {
  const byTarget = new Map<string, Map<string, Reference>>();
  for (const reference of references) {
    const tag = reference.tag ?? (reference.digest === undefined ? DEFAULT_TAG : undefined);
    if (tag === undefined) continue;
    const target = `${formatRepository(relocate(reference))}:${tag}`;
    const sources = byTarget.get(target) ?? new Map<string, Reference>();
    const source = formatReference({ ...reference, tag });
    if (!sources.has(source)) sources.set(source, reference);
    byTarget.set(target, sources);
  }
  return [...byTarget]
    .filter(([, sources]) => sources.size > 1)
    .map(([target, sources]) => ({ target, sources: [...sources.values()] }));
}

/** DT_RELOCATION_COLLISION that names the target and all images that would land there. */
export function toCollisionError(collision: RelocationCollision): DtError {
  const names = collision.sources.map((source) => formatReference(source)).join(' and ');
  return new DtError('DT_RELOCATION_COLLISION', `${names} would both become ${collision.target}`, {
    detail: 'Only the end of a repository is kept under the prefix.',
  });
}
