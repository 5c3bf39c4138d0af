import type { Graph } from '../../content/read-graph.ts';
import { DtError } from '../../domain/errors.ts';
import type { LockImage } from '../../domain/lock/images-lock.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { formatReference, parseReference, type Reference } from '../../domain/oci/reference.ts';
import { pushTarget } from '../../domain/relocation/relocate-reference.ts';
import {
  findRelocationCollisions,
  taggedName,
  toChartCollisionError,
  toCollisionError,
} from '../../domain/relocation/relocation-collisions.ts';
import type { RelocationRule } from '../../domain/relocation/relocation-rule.ts';

/** Throws DT_RELOCATION_COLLISION if one tag would get two images with different digests. */
export function refuseCollisions(
  pushes: readonly { readonly image: LockImage; readonly graph: Graph }[],
  rule: RelocationRule | undefined,
): void {
  const byReference = Map.groupBy(pushes, ({ image }) => formatReference(parseReference(image.image)));
  const listDigests = (reference: Reference): Digest[] =>
    (byReference.get(formatReference(reference)) ?? []).map(({ graph }) => graph.root.descriptor.digest);
  if (rule !== undefined) {
    const references = pushes.map(({ image }) => parseReference(image.image));
    for (const collision of findRelocationCollisions(references, (reference) => pushTarget(reference, rule))) {
      if (new Set(collision.sources.flatMap(listDigests)).size > 1) throw toCollisionError(collision, rule);
    }
  }
  for (const [reference, group] of byReference) {
    if (new Set(group.map(({ graph }) => graph.root.descriptor.digest)).size < 2) continue;
    throw new DtError(
      'DT_RELOCATION_COLLISION',
      `${reference} has two digests in the wrap: its charts were locked apart`,
      {
        hints: ['{bin} unwrap … --chart NAME'],
      },
    );
  }
}

/** A chart is pushed last, and would take the tag of an image. Throws DT_RELOCATION_COLLISION. */
export function refuseChartCollisions(
  images: readonly LockImage[],
  charts: readonly { readonly target: Reference }[],
  rule: RelocationRule,
): void {
  const byTarget = new Map(charts.map(({ target }) => [formatReference(target), target]));
  for (const { image } of images) {
    const reference = parseReference(image);
    const chart = byTarget.get(taggedName(reference, (source) => pushTarget(source, rule)) ?? '');
    if (chart !== undefined) throw toChartCollisionError(reference, chart, rule);
  }
}
