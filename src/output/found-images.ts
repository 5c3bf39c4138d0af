import { describeReason } from '../domain/discovery/describe-reason.ts';
import type { CheckedImage, DiscoveredImage } from '../domain/discovery/discovered-image.ts';
import { formatCount } from '../domain/format-quantity.ts';
import { alignColumns } from './align-columns.ts';
import { toSafeText } from './line-format.ts';

const COLUMNS = ['IMAGE', 'CONFIDENCE', 'WHY'] as const;

/** A table for people: one line for each image, with its best reason. */
export function formatFoundImages(images: readonly CheckedImage[]): string {
  const rows = images.map((image) => [image.reference, formatConfidence(image), formatWhy(image)].map(toSafeText));
  return alignColumns([COLUMNS, ...rows]).join('\n');
}

function formatConfidence({ confidence, isTestOnly, isComplete, registry }: CheckedImage): string {
  const notes = [
    ...(registry === undefined ? [] : [registry]),
    ...(isTestOnly ? ['test'] : []),
    ...(isComplete ? [] : ['no tag']),
  ];
  return notes.length === 0 ? confidence : `${confidence} (${notes.join(', ')})`;
}

/** The best reason of an image, and how many others there are. */
export function formatWhy({ reasons }: DiscoveredImage): string {
  const [first, ...others] = reasons;
  if (first === undefined) return '';
  // Where it comes from is worth more than that it was declared.
  const shown = reasons.find((reason) => reason.kind === 'rendering' && reason.origins.length > 0) ?? first;
  return describeReason(shown) + (others.length === 0 ? '' : ` (and ${formatCount(others.length, 'more place')})`);
}
