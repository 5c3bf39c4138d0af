import type { RenderedImage } from '../discovery/rendered-image.ts';
import { formatYamlPath } from '../yaml/yaml-tree.ts';
import type { ExpectedMoves } from './explained-difference.ts';
import { findOtherChanges, type ComparedRendering, type OtherChange } from './find-other-changes.ts';
import type { RenderingNoise } from './rendering-noise.ts';

export interface RenderingComparison {
  /** Images that are where the mapping puts them. */
  readonly moved: readonly { readonly image: RenderedImage; readonly to: string }[];
  /** Images that are as they were, and should not be. */
  readonly left: readonly RenderedImage[];
  /** Images that became something else. */
  readonly wrong: readonly { readonly image: RenderedImage; readonly to: string | undefined }[];
  readonly others: readonly OtherChange[];
}

/** Says of every image of a rendering what became of it in another, and what else differs. */
export function compareRenderings(
  before: ComparedRendering,
  after: ComparedRendering,
  moves: Omit<ExpectedMoves, 'images'>,
  noise: RenderingNoise = new Map(),
): RenderingComparison {
  const texts = new Map<string, Set<string>>();
  const keyAfter = createPlaceKeys();
  for (const image of after.images) {
    const key = keyAfter(image);
    texts.set(key, (texts.get(key) ?? new Set()).add(image.text));
  }
  const keyBefore = createPlaceKeys();
  const moved: { image: RenderedImage; to: string }[] = [];
  const left: RenderedImage[] = [];
  const wrong: { image: RenderedImage; to: string | undefined }[] = [];
  for (const image of before.images) {
    const key = keyBefore(image);
    const target = moves.relocateText(image.text);
    if (target === undefined) continue;
    const found = texts.get(key) ?? new Set();
    const isAsBefore = found.has(image.text);
    if (target === image.text) {
      if (!isAsBefore) wrong.push({ image, to: [...found][0] });
      continue;
    }
    // A text may name the image twice, and only one of them moved.
    if (isAsBefore) left.push(image);
    else if (found.has(target)) moved.push({ image, to: target });
    else wrong.push({ image, to: [...found][0] });
  }
  const targets = moved.map(({ to }) => to);
  const expected = {
    ...moves,
    // Only what an image has in its name may show elsewhere: the rest is perhaps no image at all.
    replaced: moves.replaced.filter(({ to }) => isPartOfAny(to, targets)),
    images: new Set(before.images.map(({ text }) => text)),
  };
  return { moved, left, wrong, others: findOtherChanges(before, after.output, expected, noise) };
}

/** True if one of the names holds the text as a whole part, or several. */
export function isPartOfAny(text: string, names: readonly string[]): boolean {
  return names.some((name) =>
    `/${name}`
      .split(`/${text}`)
      .slice(1)
      .some((rest) => /^(?:$|[/:@])/.test(rest)),
  );
}

/** The place of an image, its object by its number among those of its kind in the template: a name may be random. */
function createPlaceKeys(): (image: RenderedImage) => string {
  const names = new Map<string, string[]>();
  return ({ place: { template, kind, name, path } }) => {
    const key = JSON.stringify([template, kind]);
    const known = names.get(key) ?? [];
    names.set(key, known);
    if (!known.includes(name)) known.push(name);
    return JSON.stringify([key, known.indexOf(name), formatYamlPath(path)]);
  };
}
