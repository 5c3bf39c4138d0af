import { formatBytes } from '../domain/format-quantity.ts';
import type { PlannedTag, UnwrapPlan } from '../workflows/plan-unwrap.ts';
import { formatLine, INDENTATION, SYMBOLS, toSafeText } from './line-format.ts';

/** What `unwrap --plan` tells people. */
export function formatUnwrapPlan({ charts, repositories, tags, bytesToSend, bytesPresent }: UnwrapPlan): string {
  return [
    title(0, `Plan for ${charts.map(({ name, version }) => `${name} ${version}`).join(', ')}`),
    title(1, 'Repositories, which some registries want to exist'),
    ...repositories.map(item),
    title(1, 'Tags'),
    ...tags.map((tag) => item(`${tag.reference}${tag.kind === 'chart' ? ' (chart)' : ''}: ${describeState(tag)}`)),
    title(1, 'Layers and configs'),
    item(`to send: ${formatBytes(bytesToSend)}`),
    item(`there already: ${formatBytes(bytesPresent)}`),
  ].join('\n');
}

function describeState({ state, digest, previousDigest }: PlannedTag): string {
  switch (state) {
    case 'new':
      return `new, ${digest}`;
    case 'incomplete':
      return `there in part, ${digest}`;
    case 'same':
      return `there already, ${digest}`;
    case 'overwritten':
      return `overwritten with ${digest}, was ${previousDigest ?? 'another one'}`;
  }
}

function title(level: number, text: string): string {
  return formatLine(level, SYMBOLS.section, text);
}

function item(text: string): string {
  return `${' '.repeat(3 * INDENTATION)} ${toSafeText(text)}`;
}
