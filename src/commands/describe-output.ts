import { formatBytes, formatCount } from '../domain/format-quantity.ts';

/** The size of a wrap that was written: `81.3 MB`, or `8.1 GB in 3 parts`. */
export function describeOutput({
  sizeBytes,
  parts,
}: {
  readonly sizeBytes: number;
  readonly parts?: readonly string[];
}): string {
  return formatBytes(sizeBytes) + (parts === undefined ? '' : ` in ${formatCount(parts.length, 'part')}`);
}
