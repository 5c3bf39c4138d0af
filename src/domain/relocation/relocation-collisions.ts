import { DtError } from '../errors.ts';
import { DEFAULT_TAG, formatReference, formatRepository, type Reference } from '../oci/reference.ts';
import type { RelocationNaming } from './image-naming.ts';
import { pushTarget } from './relocate-reference.ts';
import type { RelocationRule } from './relocation-rule.ts';

/** The namings that tell more images apart, the shorter names first. */
const WIDER_NAMINGS: readonly RelocationNaming[] = ['two-parts', 'keep-path', 'with-host'];

/** Several images that a relocation would push under one name. */
export interface RelocationCollision {
  /** `registry/repository:tag` under the prefix. */
  readonly target: string;
  /** The images as the chart names them, in the order given. Harmless if all of them have the same digest. */
  readonly sources: readonly Reference[];
}

/**
 * Finds images that would overwrite each other under the prefix: most namings keep a part of a repository only.
 * References with a digest and no tag cannot collide. The caller knows digests and decides whether it matters.
 */
export function findRelocationCollisions(
  references: readonly Reference[],
  relocate: (reference: Reference) => Reference,
): readonly RelocationCollision[] {
  const byTarget = new Map<string, Map<string, Reference>>();
  for (const reference of references) {
    const target = taggedName(reference, relocate);
    if (target === undefined) continue;
    const sources = byTarget.get(target) ?? new Map<string, Reference>();
    const source = formatReference({ ...reference, tag: reference.tag ?? DEFAULT_TAG });
    if (!sources.has(source)) sources.set(source, reference);
    byTarget.set(target, sources);
  }
  return [...byTarget]
    .filter(([, sources]) => sources.size > 1)
    .map(([target, sources]) => ({ target, sources: [...sources.values()] }));
}

/** The tag that a relocated image takes, as `registry/repository:tag`; undefined for an image that is known by its digest only. */
export function taggedName(reference: Reference, relocate: (reference: Reference) => Reference): string | undefined {
  const tag = reference.tag ?? (reference.digest === undefined ? DEFAULT_TAG : undefined);
  return tag === undefined ? undefined : `${formatRepository(relocate(reference))}:${tag}`;
}

/** DT_RELOCATION_COLLISION that names the target, all images that would land there, and the flags that keep them apart. */
export function toCollisionError({ target, sources }: RelocationCollision, rule: RelocationRule): DtError {
  const names = sources.map((source) => formatReference(source)).join(' and ');
  return new DtError('DT_RELOCATION_COLLISION', `${names} would both become ${target}`, {
    detail: 'A tag has one digest.',
    hints: [
      ...suggestNaming(
        rule,
        (other) => new Set(sources.map((source) => targetUnder(source, other))).size === sources.length,
      ),
      '--map-file FILE with a name of its own for one of them',
    ],
  });
}

/** DT_RELOCATION_COLLISION for an image that would get the tag of a chart. */
export function toChartCollisionError(image: Reference, chart: Reference, rule: RelocationRule): DtError {
  const target = formatReference(chart);
  return new DtError('DT_RELOCATION_COLLISION', `${formatReference(image)} and the chart would both become ${target}`, {
    hints: [
      '--push-chart-url URL with another place for the chart',
      ...suggestNaming(rule, (other) => targetUnder(image, other) !== target),
    ],
  });
}

function targetUnder(image: Reference, rule: RelocationRule): string | undefined {
  return taggedName(image, (reference) => pushTarget(reference, rule));
}

/** The first naming that helps. None does for images that a mapping names, or that keep their names. */
function suggestNaming(rule: RelocationRule, helps: (rule: RelocationRule) => boolean): string[] {
  const naming = WIDER_NAMINGS.find((candidate) => helps({ ...rule, naming: candidate }));
  return naming === undefined ? [] : [`--naming ${naming}`];
}
