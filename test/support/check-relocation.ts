import type { Chart } from '../../src/domain/chart/chart.ts';
import type { RelocationProof } from '../../src/domain/proof/relocation-proof.ts';
import type { RelocatedChart } from '../../src/domain/relocation/relocate-chart.ts';

/** What a relocation did to a chart, counted without the code that made it. */
export interface RelocationCheck {
  /** `image:` lines of the rendering. */
  readonly images: number;
  readonly relocated: number;
  /** As before, and named by the proof. */
  readonly left: number;
  readonly failures: readonly string[];
  /** Other lines of the rendering that differ, but for checksums. */
  readonly otherLines: number;
  /** Lines of files that differ although no reported change lies in them. */
  readonly needlessLines: number;
}

const IMAGE_LINE = /^\s*(?:- )?["']?image["']?:\s*["']?([^"'\s{}#]+)["']?\s*$/;
/** A name or label must not follow the images; in a list of variables it is a key of the user. */
const NAME_LINE =
  /^\s*(?:- )?["']?(?:name|namespace|kind|app|component|serviceName|[\w./-]*app\.kubernetes\.io\/\w+)["']?:\s/;
const CHECKSUM = /[0-9a-f]{6,64}/g;
const BASE64 = /[A-Za-z0-9+/]{24,}={0,2}/g;

/** Compares two outputs of `helm template` line by line, and the files of the chart byte by byte. */
export function checkRelocation(
  chart: Chart,
  { tree, changes }: RelocatedChart,
  proof: RelocationProof,
  /** `again`: the original once more, for what is random. */
  outputs: { readonly before: string; readonly again: string; readonly after: string },
  prefix: string,
): RelocationCheck {
  const failures: string[] = [];
  let [images, relocated, left, otherLines] = [0, 0, 0, 0];
  const named = new Set(proof.left.map(({ reference }) => reference));
  const moves = [
    ...proof.moved.map(({ from, to }) => [from, to] as const),
    ...changes.map(({ from, to }) => [from, to] as const),
  ]
    .filter(([from]) => from !== '')
    .toSorted(([one], [other]) => other.length - one.length);
  const [before = [], again = [], after = []] = [outputs.before, outputs.again, outputs.after].map((output) =>
    output.split('\n'),
  );
  if (before.length !== after.length)
    failures.push(`${String(before.length)} lines rendered before, ${String(after.length)} after`);
  for (const [index, line] of before.entries()) {
    const other = after[index] ?? '';
    const image = IMAGE_LINE.exec(line)?.[1];
    // A name without a tag is one part of an image whose other parts stand beside it.
    if (image !== undefined && /[/:@]/.test(image)) {
      images++;
      const now = IMAGE_LINE.exec(other)?.[1] ?? '';
      if (now.startsWith(`${prefix}/`) && now === expectedText(image, prefix)) relocated++;
      else if (now === image && named.has(image)) left++;
      else failures.push(now === image ? `left without a word: ${image}` : `wrong: ${image} became ${now}`);
    } else if (line !== other && line === again[index] && !isExplained(line, other, moves)) {
      otherLines++;
      failures.push(`other: ${line.trim().slice(0, 120)} became ${other.trim().slice(0, 120)}`);
    }
  }
  const needlessLines = countNeedlessLines(chart, tree, changes);
  if (needlessLines > 0) failures.push(`${String(needlessLines)} lines of files changed without need`);
  return { images, relocated, left, failures, otherLines, needlessLines };
}

/** The rule of the Go tool: the last two parts of the repository. */
function expectedText(image: string, prefix: string): string {
  const name = image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const parts = name.split('/');
  const isBare = parts.length === 1 || (parts.length === 2 && /[.:]/.test(parts[0] ?? ''));
  const path = isBare
    ? [/^(?:index\.)?docker\.io$/.test(parts[0] ?? '') || parts.length === 1 ? 'library' : '', parts.at(-1) ?? '']
    : parts.slice(/[.:]/.test(parts[0] ?? '') ? 1 : 0).slice(-2);
  return `${prefix}/${path.filter((part) => part !== '').join('/')}${image.slice(name.length)}`;
}

function isExplained(before: string, after: string, moves: readonly (readonly [string, string])[]): boolean {
  if (before.replaceAll(CHECKSUM, '#') === after.replaceAll(CHECKSUM, '#')) return true;
  if (NAME_LINE.test(before)) return false;
  const targets = new Map(moves);
  // The longest first, and nothing twice: a name may be part of another one.
  const names = new RegExp(
    moves.map(([from]) => from.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|') || '$^',
    'g',
  );
  return (
    before.replaceAll(names, (from) => targets.get(from) ?? from) === after ||
    moves.some(([from, to]) => before.replace(from, to) === after) ||
    (decode(before) !== before && isExplained(decode(before), decode(after), moves))
  );
}

/** With the texts that it holds in base64 in their place. */
function decode(line: string): string {
  return line.replaceAll(BASE64, (word) => {
    const text = Buffer.from(word, 'base64').toString();
    return /[^\n -~]/.test(text) ? word : text;
  });
}

function countNeedlessLines(chart: Chart, tree: Chart['tree'], changes: RelocatedChart['changes']): number {
  const byPath = new Map(chart.tree.map(({ path, bytes }) => [path, bytes]));
  let count = 0;
  for (const { path, type, bytes } of tree) {
    const old = byPath.get(path);
    if (type !== 'file' || old === undefined || old === bytes || path.endsWith('.tgz')) continue;
    const [before, after] = [old, bytes].map((part) => Buffer.from(part).toString().split('\n'));
    // Without order: an added field moves the lines behind it.
    const rest = new Map(
      Object.entries(Object.groupBy(before ?? [], (line) => line)).map(([line, all]) => [line, all?.length ?? 0]),
    );
    const lines = (after ?? []).filter((line) => {
      const times = rest.get(line) ?? 0;
      rest.set(line, times - 1);
      return times <= 0;
    }).length;
    count += Math.max(0, lines - changes.filter(({ file }) => file === path).length);
  }
  return count;
}
