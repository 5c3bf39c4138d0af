import { applyYamlEdits } from '../yaml/apply-yaml-edits.ts';
import type { YamlEdit } from '../yaml/yaml-edits.ts';
import { spliceText } from '../yaml/yaml-scalar-text.ts';
import type { YamlScalar, YamlTree } from '../yaml/yaml-tree.ts';
import type { ChartText, LiteralMark } from './find-literal-marks.ts';
import type { ValueMark } from './find-value-marks.ts';

/** A place with the mark that goes there. */
export interface WrittenMark<Mark> {
  readonly mark: Mark;
  readonly text: string;
}

/** The values files with their marks, by file. A scalar that cannot be edited stays as it is. */
export function applyValueMarks(written: readonly WrittenMark<ValueMark>[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [file, marks] of Map.groupBy(written, ({ mark }) => mark.file)) {
    const tree = marks[0]?.mark.tree;
    if (tree !== undefined) texts.set(file, applyYamlEdits(tree, toGroups(marks)).text);
  }
  return texts;
}

/** The templates and other files with their marks, by file. */
export function applyLiteralMarks(
  files: readonly ChartText[],
  written: readonly WrittenMark<LiteralMark>[],
): ReadonlyMap<string, string> {
  const byFile = Map.groupBy(written, ({ mark }) => mark.file);
  return new Map(
    files.flatMap(({ file, text }): [string, string][] => {
      const marks = byFile.get(file) ?? [];
      const splices = marks.map((item) => ({ start: item.mark.offset, end: item.mark.offset, replacement: item.text }));
      return marks.length === 0 ? [] : [[file, spliceText(text, splices)]];
    }),
  );
}

/** Sets plain scalars of a file to another plain value. */
export function setScalars(tree: YamlTree, scalars: readonly YamlScalar[], value: string): string {
  const splices = scalars.map(({ start, end }) => ({ start, end, replacement: value }));
  return spliceText(tree.text, splices);
}

function toGroups(written: readonly WrittenMark<ValueMark>[]): YamlEdit[][] {
  return [...Map.groupBy(written, ({ mark }) => mark.scalar)].map(([scalar, marks]) => {
    const splices = marks.flatMap(({ mark: { start }, text }) =>
      start === undefined ? [] : [{ start, end: start + 1, replacement: text + (scalar.text[start] ?? '') }],
    );
    if (splices.length > 0) return [{ kind: 'splice-scalar', scalar, splices }];
    return [{ kind: 'set-scalar', scalar, value: marks[0]?.text ?? '' }];
  });
}
