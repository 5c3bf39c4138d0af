import { splitManifests } from '../discovery/parse-manifests.ts';
import type { RenderedImage } from '../discovery/rendered-image.ts';
import { formatYamlPath } from '../yaml/yaml-tree.ts';
import { isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import { isDtError } from '../errors.ts';
import { isExplainedDifference, type ExpectedMoves } from './explained-difference.ts';

/** What Helm printed, and the images in it. */
export interface ComparedRendering {
  readonly output: string;
  readonly images: readonly RenderedImage[];
}

/** A place of a rendering that differs although nothing but images may. */
export interface OtherChange {
  readonly template: string;
  readonly before: string;
  readonly after: string;
}

export interface RenderingComparison {
  /** Images that are where the mapping puts them. */
  readonly moved: readonly { readonly image: RenderedImage; readonly to: string }[];
  /** Images that are as they were, and should not be. */
  readonly left: readonly RenderedImage[];
  /** Images that became something else. */
  readonly wrong: readonly { readonly image: RenderedImage; readonly to: string | undefined }[];
  readonly others: readonly OtherChange[];
}

/** Lines of documents that differ between two renderings of the same input: random values, times. */
export type RenderingNoise = ReadonlyMap<string, ReadonlySet<number>>;

interface Document {
  readonly key: string;
  readonly template: string;
  readonly text: string;
}

const MAX_SHOWN_LENGTH = 200;

/** Says of every image of a rendering what became of it in another, and what else differs. */
export function compareRenderings(
  before: ComparedRendering,
  after: ComparedRendering,
  expected: ExpectedMoves,
  noise: RenderingNoise = new Map(),
): RenderingComparison {
  const texts = new Map<string, Set<string>>();
  const keyAfter = createPlaceKeys();
  for (const image of after.images) {
    const key = keyAfter(image);
    texts.set(key, (texts.get(key) ?? new Set()).add(image.text));
  }
  const keyBefore = createPlaceKeys();
  const moved: { image: RenderedImage; to: string }[] = [];
  const left: RenderedImage[] = [];
  const wrong: { image: RenderedImage; to: string | undefined }[] = [];
  for (const image of before.images) {
    const key = keyBefore(image);
    const target = expected.relocateText(image.text);
    if (target === undefined) continue;
    const found = texts.get(key) ?? new Set();
    if (found.has(target)) {
      if (target !== image.text) moved.push({ image, to: target });
    } else if (found.has(image.text)) left.push(image);
    else wrong.push({ image, to: [...found][0] });
  }
  return { moved, left, wrong, others: findOtherChanges(before.output, after.output, expected, noise) };
}

/** What differs between two renderings of the same input. */
export function findNoise(first: string, second: string): RenderingNoise {
  const noise = new Map<string, Set<number>>();
  const others = new Map(listDocuments(second).map((document) => [document.key, document.text]));
  for (const { key, text } of listDocuments(first)) {
    const other = others.get(key);
    if (other === undefined || other === text) continue;
    const [left, right] = [text.split('\n'), other.split('\n')];
    // A line more or less makes all that follows it uncertain.
    const isShifted = left.length !== right.length;
    noise.set(key, new Set([...left.keys()].filter((index) => isShifted || left[index] !== right[index])));
  }
  return noise;
}

function findOtherChanges(
  before: string,
  after: string,
  expected: ExpectedMoves,
  noise: RenderingNoise,
): readonly OtherChange[] {
  const others: OtherChange[] = [];
  const later = new Map(listDocuments(after).map((document) => [document.key, document]));
  for (const document of listDocuments(before)) {
    const { key, template, text } = document;
    const other = later.get(key);
    later.delete(key);
    if (other?.text === text) continue;
    if (other === undefined) others.push({ template, before: shorten(text), after: '' });
    else others.push(...compareDocuments(document, other, expected, noise.get(key) ?? new Set()));
  }
  for (const { template, text } of later.values()) others.push({ template, before: '', after: shorten(text) });
  return others;
}

function compareDocuments(
  { template, text }: Document,
  other: Document,
  expected: ExpectedMoves,
  noise: ReadonlySet<number>,
): readonly OtherChange[] {
  const [left, right] = [text.split('\n'), other.text.split('\n')];
  const isSameLength = left.length === right.length;
  const differing = [...left.keys()].filter(
    (index) => !noise.has(index) && !isExplainedDifference(left[index] ?? '', right[index] ?? '', expected),
  );
  if (isSameLength && differing.length === 0) return [];
  if (noise.size === 0 && isExplainedByContent(text, other.text, expected)) return [];
  const first = isSameLength
    ? (differing[0] ?? 0)
    : ([...left.keys()].find((index) => left[index] !== right[index]) ?? 0);
  return [{ template, before: shorten(left[first] ?? ''), after: shorten(right[first] ?? '') }];
}

/** Values that are written in another style, quoted now or on more lines. */
function isExplainedByContent(before: string, after: string, expected: ExpectedMoves): boolean {
  try {
    return isExplainedValue(parseYaml(before, 'before'), parseYaml(after, 'after'), expected);
  } catch (error) {
    if (isDtError(error)) return false;
    throw error;
  }
}

function isExplainedValue(before: unknown, after: unknown, expected: ExpectedMoves): boolean {
  if (typeof before === 'string' && typeof after === 'string') return isExplainedDifference(before, after, expected);
  if (Array.isArray(before) && Array.isArray(after)) {
    return (
      before.length === after.length && before.every((item, index) => isExplainedValue(item, after[index], expected))
    );
  }
  if (!isYamlMap(before) || !isYamlMap(after)) return before === after;
  const [left, right] = [Object.entries(before), Object.entries(after)];
  return (
    left.length === right.length &&
    left.every(([key, value], index) => {
      const [otherKey = '', other] = right[index] ?? [];
      return isExplainedDifference(key, otherKey, expected) && isExplainedValue(value, other, expected);
    })
  );
}

/** Documents by their template and their place among those of it. */
function listDocuments(output: string): readonly Document[] {
  const counts = new Map<string, number>();
  return splitManifests(output).map(({ template, text }) => {
    const index = counts.get(template) ?? 0;
    counts.set(template, index + 1);
    return { key: `${template}\0${String(index)}`, template, text };
  });
}

/** The place of an image, its object by its number among those of its kind in the template: a name may be random. */
function createPlaceKeys(): (image: RenderedImage) => string {
  const names = new Map<string, string[]>();
  return ({ place: { template, kind, name, path } }) => {
    const key = JSON.stringify([template, kind]);
    const known = names.get(key) ?? [];
    names.set(key, known);
    if (!known.includes(name)) known.push(name);
    return JSON.stringify([key, known.indexOf(name), formatYamlPath(path)]);
  };
}

function shorten(text: string): string {
  const trimmed = text.trim();
  return trimmed.length > MAX_SHOWN_LENGTH ? `${trimmed.slice(0, MAX_SHOWN_LENGTH)}…` : trimmed;
}
