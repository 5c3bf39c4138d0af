import { formatBytes, formatCount } from '../domain/format-quantity.ts';
import type { ComparedChart, ComparedImage } from '../domain/wrap/compare-wraps.ts';
import type { DiffWrapsResult } from '../workflows/diff-wraps.ts';
import { alignColumns } from './align-columns.ts';
import { formatItem, formatLine, shortenDigest, SYMBOLS } from './line-format.ts';

/** A line of the table: what became of something, what it was, and what it is. */
type Row = readonly [state: string, before: string, after: string];

/** The report of `diff` for people. */
export function formatWrapDifference({
  oldFile,
  newFile,
  charts,
  images,
  deltaBytes,
  wholeBytes,
}: DiffWrapsResult): string {
  const imageRows: Row[] = [
    ...images.added.map((image): Row => ['added', '', describeImage(image)]),
    ...images.removed.map((image): Row => ['removed', describeImage(image), '']),
    ...images.changed.map((change): Row => ['changed', describeImage(change.old), describeImage(change.new)]),
  ];
  const chartRows: Row[] = [
    ...charts.added.map((chart): Row => ['added', '', describeChart(chart)]),
    ...charts.removed.map((chart): Row => ['removed', describeChart(chart), '']),
    ...charts.changed.map((change): Row => ['changed', describeChart(change.old), describeChart(change.new)]),
  ];
  const share = wholeBytes === 0 ? 0 : Math.round((100 * deltaBytes) / wholeBytes);
  return [
    formatLine(0, SYMBOLS.section, `From ${oldFile} to ${newFile}`),
    formatLine(1, SYMBOLS.section, 'Charts'),
    ...formatRows(chartRows),
    item(`${formatCount(charts.unchangedCount, 'chart')} unchanged`),
    formatLine(1, SYMBOLS.section, 'Images'),
    ...formatRows(imageRows),
    item(`${formatCount(images.unchangedCount, 'image')} unchanged`),
    formatLine(1, SYMBOLS.section, 'Content'),
    item(`Whole: ${formatBytes(wholeBytes)}`),
    item(`Delta: ${formatBytes(deltaBytes)} (${String(share)} %)`),
  ].join('\n');
}

function formatRows(rows: readonly Row[]): string[] {
  const cells = rows.map(([state, ...names]) => [state, names.filter((name) => name !== '').join(' → ')]);
  return alignColumns(cells).map(item);
}

function describeChart({ name, version }: ComparedChart): string {
  return `${name} ${version}`;
}

function describeImage({ reference, digest, platforms }: ComparedImage): string {
  const shown = digest ?? platforms[0]?.digest;
  if (shown === undefined || reference.includes('@')) return reference;
  return `${reference} (${shortenDigest(shown)})`;
}

function item(text: string): string {
  return formatItem(2, text);
}
