import { formatCount } from '../../domain/format-quantity.ts';
import { formatReference } from '../../domain/oci/reference.ts';
import { listOverwrites, type CheckedTarget } from './check-tags.ts';
import { listTargets, type CheckedUnwrap } from './check-target.ts';
import type { RunContext } from '../context.ts';

/** Names every tag that will lose its digest. */
export function warnOfOverwrites(targets: readonly CheckedTarget[], { reporter }: RunContext): void {
  for (const overwrite of listOverwrites(targets)) reporter.warn(`overwriting ${overwrite}`);
}

/** Shows what will be pushed, and asks. Outside of any section, so that a live display does not draw over the question. */
export async function confirmPush(checked: CheckedUnwrap, { reporter, prompter }: RunContext): Promise<boolean> {
  const { images, charts } = checked;
  const list = (title: string, lines: readonly string[]): void => {
    if (lines.length > 0) reporter.info(title);
    for (const line of lines) reporter.info(`  ${line}`);
  };
  const targets = listTargets(checked);
  list(
    'To be pushed:',
    targets.map(({ reference }, index) => formatReference(reference) + (index < images.length ? '' : ' (chart)')),
  );
  list('To be overwritten:', listOverwrites(targets));
  list(
    'Not possible:',
    targets.flatMap(({ reference, check }) =>
      'error' in check ? [`${formatReference(reference)}: ${check.error.message}`] : [],
    ),
  );
  return prompter.confirm(`Push ${describeTotal(images.length, charts.length)}?`);
}

function describeTotal(imageCount: number, chartCount: number): string {
  if (chartCount === 0) return formatCount(imageCount, 'image');
  return `${formatCount(imageCount, 'image')} and ${chartCount === 1 ? 'the chart' : formatCount(chartCount, 'chart')}`;
}
