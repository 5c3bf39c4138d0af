import type { RenderedImage } from '../discovery/rendered-image.ts';
import { formatYamlPath, type YamlPath } from '../yaml/yaml-tree.ts';
import { isExplainedDifference, isExplainedName, type ExpectedMoves } from './explained-difference.ts';
import {
  compareDocumentTexts,
  listDocuments,
  type LeafDifference,
  type RenderedDocument,
} from './rendered-documents.ts';
import { isNoise, type RenderingNoise } from './rendering-noise.ts';

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

const MAX_SHOWN_LENGTH = 200;
/** What is called so, or lies below, names or selects something; a pod would not be found any more. */
const NAMING_KEYS: ReadonlySet<string> = new Set([
  ...['name', 'namespace', 'generateName', 'labels', 'matchLabels', 'selector', 'podSelector', 'serviceName'],
  ...['ports', 'externalName', 'kind', 'apiVersion', 'roleRef', 'subjects', 'serviceAccountName'],
]);

const SELECTING_KEYS: ReadonlySet<string> = new Set(['selector', 'matchLabels', 'podSelector']);
const SECRET_PATTERN = /^kind:[ \t]*["']?Secret["']?[ \t]*\r?$/m;
const HIDDEN = '(part of a Secret)';

/** What differs between two renderings beside the moves that are expected, and what differs by itself. */
export function findOtherChanges(
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
