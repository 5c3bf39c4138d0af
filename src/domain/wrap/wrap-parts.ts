import { DtError } from '../errors.ts';
import { formatBytes } from '../format-quantity.ts';

/** What the last number of three digits allows. */
export const MAX_PARTS = 999;
/** Under this a medium of any kind takes the whole wrap, or the number of parts is a mistake. */
export const MIN_PART_BYTES = 1_000_000;
/** The checksums of the parts lie beside them. */
export const CHECKSUM_EXTENSION = '.sha256';

const PART_PATTERN = /^(.+)\.(\d{3})$/s;
/** https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html; a leading backslash says that the name is escaped. */
const CHECKSUM_PATTERN = /^\\?([0-9a-f]{64}) [ *](.+)$/;

/** `X.wrap.tgz.001` for part 1 of `X.wrap.tgz`. */
export function partPath(path: string, number: number): string {
  return `${path}.${String(number).padStart(3, '0')}`;
}

/** What a part is a part of, and its number from 1 on; undefined for a name that no part has. */
export function parsePartPath(path: string): { readonly whole: string; readonly number: number } | undefined {
  const [, whole = '', digits = ''] = PART_PATTERN.exec(path) ?? [];
  const number = Number(digits);
  return number === 0 ? undefined : { whole, number };
}

/** How long each part is. Throws DT_USAGE for too many. */
export function planPartLengths(totalBytes: number, partBytes: number): readonly number[] {
  const count = Math.max(1, Math.ceil(totalBytes / partBytes));
  if (count > MAX_PARTS) {
    const leastBytes = Math.ceil(totalBytes / MAX_PARTS);
    throw new DtError('DT_USAGE', `the wrap would have more than ${String(MAX_PARTS)} parts`, {
      detail: `It has ${formatBytes(totalBytes)}: parts of at least ${String(leastBytes)} bytes are few enough.`,
    });
  }
  return Array.from({ length: count }, (_, index) => Math.min(partBytes, totalBytes - index * partBytes));
}

/** The checksum file, as sha256sum writes and checks it. */
export function formatChecksums(parts: readonly { readonly name: string; readonly sha256: string }[]): string {
  return parts
    .map(({ name, sha256 }) => {
      const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
      return `${escaped === name ? '' : '\\'}${sha256}  ${escaped}\n`;
    })
    .join('');
}

/**
 * The checksums of the parts from the first to the last. The number of a part is read, not its name: all of them may have been renamed.
 * Undefined for a text that does not list each part once.
 */
export function parseChecksums(text: string): readonly [string, ...string[]] | undefined {
  const sums = new Map<number, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, sha256, name = ''] = CHECKSUM_PATTERN.exec(line) ?? [];
    const number = parsePartPath(name)?.number;
    if (sha256 === undefined || number === undefined) continue;
    if (sums.has(number)) return undefined;
    sums.set(number, sha256);
  }
  const [first, ...others] = Array.from({ length: sums.size }, (_, index) => sums.get(index + 1));
  if (first === undefined || !others.every((sum) => sum !== undefined)) return undefined;
  return [first, ...others];
}
