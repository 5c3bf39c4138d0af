import type { RenderedImage } from '../discovery/rendered-image.ts';
import { formatYamlPath, type YamlPath } from '../yaml/yaml-tree.ts';
import { isExplainedDifference, isExplainedName, type ExpectedMoves } from './explained-difference.ts';
import {
  compareDocumentTexts,
  listDocuments,
  type LeafDifference,
  type RenderedDocument,
} from './rendered-documents.ts';

/** What Helm printed, and the images in it. */
export interface ComparedRendering {
  readonly output: string;
  readonly images: readonly RenderedImage[];
}

/** A place of a rendering that differs although nothing but images may. */
export interface OtherChange {
  readonly template: string;
  /** Empty for a document as a whole. */
  readonly path: string;
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

/** Paths of documents that differ between two renderings of the same input: random values, times. */
export type RenderingNoise = ReadonlyMap<string, ReadonlySet<string>>;

const MAX_SHOWN_LENGTH = 200;
/** What is called so, or lies below, names or selects something; a pod would not be found any more. */
const NAMING_KEYS: ReadonlySet<string> = new Set([
  ...['name', 'namespace', 'generateName', 'labels', 'matchLabels', 'selector', 'podSelector', 'serviceName'],
  ...['ports', 'externalName', 'kind', 'apiVersion', 'roleRef', 'subjects', 'serviceAccountName'],
]);

const SELECTING_KEYS: ReadonlySet<string> = new Set(['selector', 'matchLabels', 'podSelector']);
const SECRET_PATTERN = /^kind:[ \t]*["']?Secret["']?[ \t]*\r?$/m;
const HIDDEN = '(part of a Secret)';

/** Says of every image of a rendering what became of it in another, and what else differs. */
export function compareRenderings(
  before: ComparedRendering,
  after: ComparedRendering,
  moves: Omit<ExpectedMoves, 'images'>,
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
    const target = moves.relocateText(image.text);
    if (target === undefined) continue;
    const found = texts.get(key) ?? new Set();
    const isAsBefore = found.has(image.text);
    if (target === image.text) {
      if (!isAsBefore) wrong.push({ image, to: [...found][0] });
      continue;
    }
    // A text may name the image twice, and only one of them moved.
    if (isAsBefore) left.push(image);
    else if (found.has(target)) moved.push({ image, to: target });
    else wrong.push({ image, to: [...found][0] });
  }
  const targets = moved.map(({ to }) => to);
  const expected = {
    ...moves,
    // Only what an image has in its name may show elsewhere: the rest is perhaps no image at all.
    replaced: moves.replaced.filter(({ to }) => isPartOfAny(to, targets)),
    images: new Set(before.images.map(({ text }) => text)),
  };
  return { moved, left, wrong, others: findOtherChanges(before, after.output, expected, noise) };
}

/** True if one of the names holds the text as a whole part, or several. */
export function isPartOfAny(text: string, names: readonly string[]): boolean {
  return names.some((name) =>
    `/${name}`
      .split(`/${text}`)
      .slice(1)
      .some((rest) => /^(?:$|[/:@])/.test(rest)),
  );
}

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

function findOtherChanges(
  { output, images }: ComparedRendering,
  after: string,
  expected: ExpectedMoves,
  noise: RenderingNoise,
): readonly OtherChange[] {
  const others: OtherChange[] = [];
  const later = new Map(listDocuments(after).map((document) => [document.key, document]));
  const imagePaths = new Set(images.flatMap(listImagePaths));
  for (const document of listDocuments(output)) {
    const { key, template, text } = document;
    const other = later.get(key);
    later.delete(key);
    if (other?.text === text) continue;
    if (other === undefined) others.push({ template, path: '', before: show(text, text), after: '' });
    else
      others.push(...compareDocuments(document, other, { expected, imagePaths, noise: noise.get(key) ?? new Set() }));
  }
  for (const { template, text } of later.values())
    others.push({ template, path: '', before: '', after: show(text, text) });
  return others;
}

interface DocumentContext {
  readonly expected: ExpectedMoves;
  /** `TEMPLATE PATH` of fields that hold an image, or a part of one. */
  readonly imagePaths: ReadonlySet<string>;
  readonly noise: ReadonlySet<string>;
}

function compareDocuments(
  { template, text }: RenderedDocument,
  other: RenderedDocument,
  { expected, imagePaths, noise }: DocumentContext,
): readonly OtherChange[] {
  return compareDocumentTexts(text, other.text)
    .filter(({ path }) => !isNoise(path, noise))
    .filter((difference) => {
      const isImage =
        imagePaths.has(pathKey({ template, path: difference.path })) ||
        imagePaths.has(pathKey({ template, path: difference.path.slice(0, -1) }));
      return !isExplained(difference, expected, isImage);
    })
    .map(({ path, before, after }) => ({
      template,
      path: formatYamlPath(path),
      before: show(before, text),
      after: show(after, text),
    }));
}

function isExplained({ path, before, after }: LeafDifference, expected: ExpectedMoves, isImage: boolean): boolean {
  if (typeof before !== 'string' || typeof after !== 'string') return false;
  // A field of an image, and the fields beside it that hold its other parts, are called as they like.
  if (!isImage && isNaming(path)) return !isSelecting(path) && isExplainedName(before, after);
  return isExplainedDifference(before, after, expected);
}

/** A list of variables or arguments has values under `value`, whatever the variable is called. */
function isNaming(path: YamlPath): boolean {
  const keys = path.filter((part) => typeof part === 'string');
  const last = keys.at(-1) ?? '';
  return last !== 'value' && keys.some((key) => NAMING_KEYS.has(key)) && !isUnderData(keys);
}

/** Selectors of what is installed cannot be changed. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates */
function isSelecting(path: YamlPath): boolean {
  return path.some((part) => typeof part === 'string' && SELECTING_KEYS.has(part));
}

/** What a ConfigMap holds is called after files. */
function isUnderData([first = '']: readonly string[]): boolean {
  return ['data', 'stringData', 'binaryData'].includes(first);
}

function isNoise(path: YamlPath, noise: ReadonlySet<string>): boolean {
  return noise.size > 0 && path.some((_, index) => noise.has(formatYamlPath(path.slice(0, index + 1))));
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

/** Of an image whose parts stand in fields of their own, the map of them. */
function listImagePaths({ place, field, isCertain }: RenderedImage): readonly string[] {
  if (!isCertain) return [];
  const map = { template: place.template, path: place.path.slice(0, -1) };
  return field === 'custom-split' ? [pathKey(place), pathKey(map)] : [pathKey(place)];
}

function pathKey({ template, path }: Pick<RenderedImage['place'], 'template' | 'path'>): string {
  return `${template} ${formatYamlPath(path)}`;
}

/** What values from outside put into a Secret is in no message. */
function show(value: unknown, document: string): string {
  if (SECRET_PATTERN.test(document)) return HIDDEN;
  if (value === undefined) return '';
  return shorten(typeof value === 'string' ? value : JSON.stringify(value));
}

function shorten(text: string): string {
  const trimmed = text.trim();
  return trimmed.length > MAX_SHOWN_LENGTH ? `${trimmed.slice(0, MAX_SHOWN_LENGTH)}…` : trimmed;
}
