import { formatYamlPath, type YamlPath } from '../yaml/yaml-tree.ts';
import { compareDocumentTexts, listDocuments } from './rendered-documents.ts';

/** Paths of documents that differ between two renderings of the same input: random values, times. */
export type RenderingNoise = ReadonlyMap<string, ReadonlySet<string>>;

/** What differs between two renderings of the same input. */
export function findNoise(first: string, second: string): RenderingNoise {
  const others = new Map(listDocuments(second).map((document) => [document.key, document.text]));
  return new Map(
    listDocuments(first).flatMap(({ key, text }) => {
      const other = others.get(key);
      if (other === undefined || other === text) return [];
      return [[key, new Set(compareDocumentTexts(text, other).map(({ path }) => formatYamlPath(path)))] as const];
    }),
  );
}

/** True for a place that differs by itself, or lies in one. */
export function isNoise(path: YamlPath, noise: ReadonlySet<string>): boolean {
  return noise.size > 0 && path.some((_, index) => noise.has(formatYamlPath(path.slice(0, index + 1))));
}
