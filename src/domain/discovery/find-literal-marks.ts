import type { MarkPlace } from './image-origin.ts';
import { listHeads } from './reference-heads.ts';

/** A file of the chart that is no values file: a template, or what templates read. */
export interface ChartText {
  readonly file: string;
  readonly text: string;
}

/** A place in such a file that can be marked. */
export interface LiteralMark extends MarkPlace {
  readonly offset: number;
}

const MAX_MARKS_PER_REFERENCE = 1_000;

/** Where the longest head of each reference that was not `tried` yet stands in the files, as a word of its own. */
export function findLiteralMarks(
  texts: readonly ChartText[],
  references: readonly string[],
  tried: ReadonlySet<string>,
): readonly LiteralMark[] {
  const marks = new Map<string, LiteralMark>();
  for (const reference of new Set(references)) {
    for (const mark of findLongestHead(texts, reference, tried))
      marks.set(`${mark.file}\0${String(mark.offset)}`, mark);
  }
  return [...marks.values()];
}

function findLongestHead(
  texts: readonly ChartText[],
  reference: string,
  tried: ReadonlySet<string>,
): readonly LiteralMark[] {
  const heads = listHeads(reference)
    .filter((head) => !head.endsWith('/') && !tried.has(head))
    .sort((left, right) => right.length - left.length);
  for (const head of heads) {
    const marks: LiteralMark[] = [];
    for (const { file, text } of texts) {
      for (let at = text.indexOf(head); at !== -1; at = text.indexOf(head, at + 1)) {
        if (marks.length >= MAX_MARKS_PER_REFERENCE) break;
        if (isWord(text, at, head)) marks.push(toMark(file, text, at, head));
      }
    }
    if (marks.length > 0) return marks;
  }
  return [];
}

function isWord(text: string, at: number, head: string): boolean {
  const before = text[at - 1] ?? ' ';
  const after = text[at + head.length] ?? ' ';
  if (/[\w./@-]/.test(before)) return false;
  // A name alone is a word of every text; a registry has a dot, a folder a slash.
  const isName = !/[/.:]/.test(head);
  return isName ? /[\s"'`=]/.test(before) && /[\s"'`:@}]/.test(after) : !/[\w-]/.test(after);
}

function toMark(file: string, text: string, offset: number, head: string): LiteralMark {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return { file, offset, origin: { kind: 'template', file, line, path: '', text: head } };
}
