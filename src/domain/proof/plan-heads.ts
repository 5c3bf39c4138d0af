import type { LiteralMark } from '../discovery/find-literal-marks.ts';
import type { ValueMark } from '../discovery/find-value-marks.ts';
import type { RenderedImage } from '../discovery/rendered-image.ts';
import { namesRegistry } from '../oci/reference.ts';

/** A place of the chart that a rendered image begins with. */
export type TracedHead = ValueMark | LiteralMark;

/** What a traced place has to say so that every image that begins with it lands where the mapping puts it. */
export interface HeadEdit {
  readonly head: TracedHead;
  readonly from: string;
  readonly to: string;
}

/** An image that no edit of a single place can move. */
export interface UnmovableImage {
  readonly image: RenderedImage;
  readonly why: 'conflict' | 'shape';
  readonly heads: readonly TracedHead[];
}

export interface HeadPlan {
  readonly edits: readonly HeadEdit[];
  readonly unmovable: readonly UnmovableImage[];
}

/**
 * Works out the new text of each traced place: what is left of the target when the part of the image behind the place stays.
 * `shape`: the mapping changes that part too. `conflict`: two images want different texts of one place.
 */
export function planHeads(
  traced: ReadonlyMap<RenderedImage, readonly TracedHead[]>,
  relocateText: (text: string) => string | undefined,
): HeadPlan {
  const wishes = new Map<string, { head: TracedHead; from: string; images: { image: RenderedImage; to: string }[] }>();
  const unmovable: UnmovableImage[] = [];
  for (const [image, heads] of traced) {
    const target = relocateText(image.text);
    if (target === undefined || target === image.text) continue;
    for (const head of heads) {
      const wish = findNewHead(image.text, target, head);
      if (wish === undefined) {
        unmovable.push({ image, why: 'shape', heads });
        continue;
      }
      const key = headKey(head);
      const known = wishes.get(key) ?? { head, from: wish.from, images: [] };
      known.images.push({ image, to: wish.to });
      wishes.set(key, known);
    }
  }
  const edits: HeadEdit[] = [];
  for (const { head, from, images } of wishes.values()) {
    const [first, ...others] = images;
    if (first === undefined) continue;
    if (others.every(({ to }) => to === first.to)) edits.push({ head, from, to: first.to });
    else unmovable.push(...images.map(({ image }) => ({ image, why: 'conflict' as const, heads: [head] })));
  }
  return { edits, unmovable };
}

/** One text for one place. */
export function headKey(head: TracedHead): string {
  const place = 'scalar' in head ? [head.scalar.eventIndex, head.start ?? -1] : [head.offset];
  return JSON.stringify([head.file, ...place]);
}

function findNewHead(text: string, target: string, head: TracedHead): { from: string; to: string } | undefined {
  const from = head.origin.text;
  const rest = from === '' ? withoutRegistry(text) : text.slice(from.length);
  if (!target.endsWith(rest) || (from !== '' && !text.startsWith(from))) return undefined;
  return { from, to: target.slice(0, target.length - rest.length) };
}

/** What a template puts behind a registry: a default registry of its own is left out. */
function withoutRegistry(text: string): string {
  const slash = text.indexOf('/');
  return slash > 0 && namesRegistry(text.slice(0, slash)) ? text.slice(slash) : `/${text}`;
}
