import { formatBytes } from '../domain/format-quantity.ts';
import type { PlannedTag, UnwrapPlan } from '../workflows/plan-unwrap.ts';
import { formatItem, formatLine, SYMBOLS } from './line-format.ts';

/** What `unwrap --plan` tells people. */
export function formatUnwrapPlan(plan: UnwrapPlan): string {
  const { charts, repositories, tags, sendBytes, presentBytes, missing } = plan;
  return [
    title(0, `Plan for ${charts.map(({ name, version }) => `${name} ${version}`).join(', ')}`),
    title(1, 'Repositories, which some registries want to exist'),
    ...repositories.map(item),
    title(1, 'Tags'),
    ...tags.map((tag) => item(`${tag.reference}${tag.kind === 'chart' ? ' (chart)' : ''}: ${describeState(tag)}`)),
    title(1, 'Layers and configs'),
    item(`to send: ${formatBytes(sendBytes)}`),
    item(`there already: ${formatBytes(presentBytes)}`),
    ...(missing.length === 0 ? [] : [title(1, 'Missing, of what the delta leaves out: unwrap its base first')]),
    ...missing.map(({ digest, sizeBytes, images }) =>
      item(`${digest} (${formatBytes(sizeBytes)}), for ${images.join(', ')}`),
    ),
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
  return formatItem(2, text);
}
