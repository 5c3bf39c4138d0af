import { walkScalars, type ValuesText } from '../../domain/discovery/find-value-marks.ts';
import { imageIdentity } from '../../domain/discovery/find-rendered-images.ts';
import type { RenderedImage } from '../../domain/discovery/rendered-image.ts';
import type { TracedHead } from '../../domain/proof/plan-heads.ts';
import { switchOnNamed } from '../discovery/switch-features.ts';
import { traceHeads, type ImageHeads } from '../discovery/trace-images.ts';
import type { RenderVariant } from './render-variants.ts';

/** What the images of all variants begin with. Of the features that are off only the images that they bring are traced. */
export async function traceVariants(variants: readonly RenderVariant[]): Promise<ImageHeads> {
  const traced = new Map<RenderedImage, readonly TracedHead[]>();
  const known = new Set<string>();
  for (const { rendering, before, switchedOn } of variants) {
    const values = rendering.listValues();
    const images =
      switchedOn === undefined
        ? before.images
        : before.images.filter(({ reference }) => !known.has(imageIdentity(reference)));
    for (const { reference } of images) known.add(imageIdentity(reference));
    if (images.length === 0) continue;
    const base = switchedOn === undefined ? new Map<string, string>() : switchOnNamed(values, switchedOn);
    for (const [image, heads] of await traceHeads(rendering, base, { ...before, images })) {
      traced.set(
        image,
        heads.flatMap((head) => toOriginal(head, values)),
      );
    }
  }
  return traced;
}

/** A feature that is on makes other scalars begin elsewhere in the text, and changes neither their number nor their order. */
function toOriginal(head: TracedHead, values: readonly ValuesText[]): readonly TracedHead[] {
  if (!('scalar' in head)) return [head];
  const tree = values.find(({ file }) => file === head.file)?.tree;
  const scalar = [...walkScalars(tree?.roots ?? [])].find(({ eventIndex }) => eventIndex === head.scalar.eventIndex);
  return tree === undefined || scalar === undefined ? [] : [{ ...head, tree, scalar }];
}
