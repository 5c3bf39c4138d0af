import assert from 'node:assert/strict';
import { isYamlMap, parseYaml } from '../../src/domain/yaml/parse-yaml.ts';

/** A file as its meaning: annotations that hold YAML are parsed too. */
export function meaningOf(text: string, path: string): unknown {
  const document = parseYaml(text, path);
  if (!isYamlMap(document) || !isYamlMap(document['annotations'])) return document;
  const annotations = Object.entries(document['annotations']).map(([key, value]) => {
    const list = typeof value === 'string' && value.includes('image:') ? parseYaml(value, key) : value;
    return [key, list];
  });
  return { ...document, annotations: Object.fromEntries(annotations) as unknown };
}

/** The lines of the text that differ, with old and new text. Throws if lines were added or taken away. */
export function changedLines(before: string, after: string): readonly (readonly [string, string])[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  assert.equal(now.length, old.length);
  return old.flatMap((line, index) => (line === now[index] ? [] : [[line, now[index] ?? ''] as const]));
}

/** What the Go tool gets wrong (defects `reference-tag-and-digest-loses-tag`) in a golden output. */
export function correctRecorded(goldenCase: string, path: string, text: string): string {
  if (goldenCase !== 'dt-relocate/chart-annotations' || !path.endsWith('Chart.yaml')) return text;
  return text.replace(/(yy)(@sha256:b{64})/, '$1:1.2$2');
}
