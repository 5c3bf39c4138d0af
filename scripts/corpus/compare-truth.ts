import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiscoveredImage } from '../../src/domain/discovery/discovered-image.ts';
import { imageIdentity } from '../../src/domain/discovery/find-rendered-images.ts';
import { parseReference } from '../../src/domain/oci/reference.ts';

interface TrueImage {
  readonly image: string;
  readonly normalised: string;
}

/** What is known of a chart: see README.md of the corpus. */
export interface ChartTruth {
  readonly kubeVersion: string;
  readonly override: string | null;
  readonly images: readonly TrueImage[];
  readonly hidden: readonly TrueImage[];
  readonly optional: readonly { readonly images: readonly TrueImage[]; readonly hidden: readonly string[] }[];
}

/** The truth of a chart, from `FOLDER/NAME/truth.json`; undefined if there is none. */
export async function readTruth(folder: string | undefined, name: string): Promise<ChartTruth | undefined> {
  if (folder === undefined) return undefined;
  try {
    return JSON.parse(await readFile(join(folder, name, 'truth.json'), 'utf8')) as ChartTruth;
  } catch {
    return undefined;
  }
}

/** A line for every image that is missing, found as less than it is, or found and not true. */
export function compareWithTruth(images: readonly DiscoveredImage[], truth: ChartTruth): readonly string[] {
  const found = new Map(images.map((image) => [identity(image.reference), image]));
  const certain = new Set(truth.images.map(({ normalised }) => identity(normalised)));
  const hidden = new Set(truth.hidden.map(({ normalised }) => identity(normalised)));
  const optional = new Set(
    truth.optional.flatMap((option) =>
      [...option.images.map(({ normalised }) => normalised), ...option.hidden].map(identity),
    ),
  );
  const failures: string[] = [];
  for (const image of certain) {
    const confidence = found.get(image)?.confidence;
    if (confidence !== 'rendered' && confidence !== 'declared') failures.push(`missing: ${image}`);
  }
  for (const image of hidden) if (!found.has(image)) failures.push(`missing (hidden): ${image}`);
  for (const image of optional) if (!found.has(image)) failures.push(`missing (optional): ${image}`);
  for (const [image, { confidence }] of found) {
    const isTrue =
      certain.has(image) ||
      hidden.has(image) ||
      confidence === 'dormant' ||
      confidence === 'declared' ||
      optional.has(image);
    if (!isTrue) failures.push(`not true (${confidence}): ${image}`);
  }
  return failures;
}

function identity(text: string): string {
  try {
    return imageIdentity(parseReference(text));
  } catch {
    return text;
  }
}
