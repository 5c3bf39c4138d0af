import { describePlace } from '../relocation/relocation-change.ts';
import type { LeftImage, LeftReason } from './relocation-proof.ts';

const REASONS: Readonly<Record<LeftReason, string>> = {
  'hard-coded': 'it stands in a template',
  values: 'it stands in a values file that is not to be changed',
  shape: 'no single value moves it: --naming keep-path changes less of its name',
  conflict: 'two images share the value that it begins with, and go to different places',
  untraced: 'no single place of the chart holds its beginning',
  refused: 'the edit would change more than the image',
};

/** One line for an image that still points elsewhere. */
export function describeLeftPlace({ reference, object, path, template, why, origins }: LeftImage): string {
  const where = origins.length === 0 ? template : origins.map(describePlace).join(', ');
  return `${reference} is left in ${object} ${path} (${where}): ${REASONS[why]}`;
}
