import { describeImagePlace, type LikelyImage } from '../domain/manifests/image-place.ts';
import { formatCount } from '../domain/format-quantity.ts';

/** Lines about what only looks like an image and was left out; none if there is nothing. */
export function formatLikelyImages(images: readonly LikelyImage[]): readonly string[] {
  if (images.length === 0) return [];
  const lines = images.map(({ image, places: [first, ...others] }) => {
    const more = others.length === 0 ? '' : ` (and ${formatCount(others.length, 'more place')})`;
    return `likely: ${image}${first === undefined ? '' : `, ${describeImagePlace(first)}`}${more}`;
  });
  return [
    ...lines,
    'Not locked: what only looks like an image ("--include-likely" locks it, a search rule makes it certain)',
  ];
}
