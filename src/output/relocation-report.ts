import { formatCount } from '../domain/format-quantity.ts';
import { describeLeftPlace } from '../domain/proof/describe-left.ts';
import type { RelocationProof } from '../domain/proof/relocation-proof.ts';
import { describePlace, type RelocationChange } from '../domain/relocation/relocation-change.ts';
import type { RelocateLocalChartResult } from '../workflows/relocate-local-chart.ts';
import { formatLine, SYMBOLS, toSafeText } from './line-format.ts';

const FEATURE_NOTE = ' (with a feature that is off)';

/** The report of `charts relocate` for people: what changes, and what the renderings say. */
export function formatRelocationReport({ changes, refused, proof }: RelocateLocalChartResult): string {
  return [
    formatLine(0, SYMBOLS.section, `Changes: ${formatCount(changes.length, 'place')}`),
    ...changes.map((change) => item(1, formatChange(change))),
    ...refused.map(({ file, line, path, image }) =>
      item(1, `${file}:${String(line)} ${path}: ${image} cannot be rewritten in place`),
    ),
    formatLine(0, SYMBOLS.section, `Proof: ${describeProof(proof)}`),
    ...proof.moved.map(({ from, to, isOff }) => item(1, `${from} → ${to}${isOff ? FEATURE_NOTE : ''}`)),
    ...proof.left.map((image) => item(1, describeLeftPlace(image) + (image.isOff ? FEATURE_NOTE : ''))),
    ...proof.unproven.map((change) => item(1, `changed by its shape, no rendering shows it: ${formatChange(change)}`)),
    ...proof.problems.map((text) => item(1, text)),
    ...proof.objections.map((text) => item(1, `refused: ${text}`)),
    ...proof.withdrawn.map((change) => item(1, `not changed, as it would move more: ${formatChange(change)}`)),
  ].join('\n');
}

function describeProof({ state, reason, renderCount, moved, left }: RelocationProof): string {
  if (state === 'unproven') return `none, ${reason ?? 'nothing was rendered'}`;
  const rest = left.length === 0 ? 'nothing else differs' : `${String(left.length)} left, nothing else differs`;
  return `${formatCount(moved.length, 'image')} moved in ${formatCount(renderCount, 'rendering')}, ${rest}`;
}

function formatChange(change: RelocationChange): string {
  const { from, to } = change;
  return `${describePlace(change)}: ${from === '' ? '(empty)' : from} → ${to}`;
}

function item(depth: number, text: string): string {
  return formatLine(depth, '-', toSafeText(text));
}
