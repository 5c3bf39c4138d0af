import type { YamlPath } from '../yaml/yaml-tree.ts';
import type { YamlEntryValue, YamlTable, YamlText, YamlValue } from '../yaml/yaml-value.ts';
import { isYamlString } from './manifest-document.ts';
import { findSearchRule, type SearchRule } from './search-rule.ts';

/** Gets every image with its place and gives what shall stand there; undefined to leave it. */
export type ReplaceImage = (image: string, path: YamlPath) => string | undefined;

/** A text that holds a document: it is given back with the images in it replaced; undefined if it is no such document. */
export type RewriteText = (text: string, format: 'json' | 'yaml', replace: NestedReplacement) => string | undefined;

/** How the document in a text is rewritten. */
export type NestedReplacement = (value: YamlValue) => YamlValue;

export interface ImageRewriter {
  readonly rules: readonly SearchRule[];
  readonly replace: ReplaceImage;
  readonly rewriteText: RewriteText;
}

/** An object with its images replaced. What is not an image is the same as before, down to the objects of this process. */
export function rewriteImages(value: YamlValue, rewriter: ImageRewriter, path: YamlPath = []): YamlValue {
  switch (value.kind) {
    case 'text':
      return value;
    case 'list': {
      const items = value.items.map((item, index) => rewriteMember(item, rewriter, [...path, index]));
      return items.every((item, index) => item === value.items[index]) ? value : { kind: 'list', items };
    }
    case 'table':
      return rewriteTable(value, rewriter, path);
  }
}

/** A scalar for a text that is made anew. */
export function toYamlText(text: string): YamlText {
  return { kind: 'text', text, isPlain: false, tag: '' };
}

function rewriteTable(table: YamlTable, rewriter: ImageRewriter, path: YamlPath): YamlTable {
  const pairs = [...table.pairs].map(([name, entry]): [string, YamlEntryValue] => {
    const value = rewriteMember(entry.value, rewriter, [...path, name]);
    return [name, value === entry.value ? entry : { ...entry, value }];
  });
  const isSame = pairs.every(([name, entry]) => entry === table.pairs.get(name));
  return isSame ? table : { kind: 'table', pairs: new Map(pairs) };
}

function rewriteMember(value: YamlValue, rewriter: ImageRewriter, path: YamlPath): YamlValue {
  const text = value.kind === 'text' && isYamlString(value) ? value.text : undefined;
  const update = findSearchRule(rewriter.rules, path, text)?.update;
  if (text === undefined || update === undefined || update.kind === 'none') return rewriteImages(value, rewriter, path);
  const newText =
    update.kind === 'entireValue'
      ? rewriter.replace(text, path)
      : rewriter.rewriteText(text, update.kind, (inner) =>
          // Rules for the inside see the inside only.
          rewriteImages(inner, {
            ...rewriter,
            rules: update.searchRules,
            replace: (image, innerPath) => rewriter.replace(image, [...path, ...innerPath]),
          }),
        );
  return newText === undefined || newText === text ? value : toYamlText(newText);
}
