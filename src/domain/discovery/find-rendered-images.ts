import { isUtf8 } from 'node:buffer';
import { formatReference, type Reference } from '../oci/reference.ts';
import { isYamlMap } from '../yaml/parse-yaml.ts';
import type { YamlPath } from '../yaml/yaml-tree.ts';
import { readImageHint } from './find-images-in-text.ts';
import { CONTAINER_LISTS, listEntries, visitPod } from './find-pod-images.ts';
import { addImage, addText, type ImageSearch } from './image-search.ts';
import { parseImageField, parseLikelyImage, writtenParts } from './image-text.ts';
import { joinSplitFields } from './join-split-fields.ts';
import type { Manifest } from './parse-manifests.ts';
import type { RenderedImage, UnreadableImage } from './rendered-image.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What an object names. */
export interface FoundImages {
  /** In the order of the object. */
  readonly images: readonly RenderedImage[];
  readonly unreadable: readonly UnreadableImage[];
}

/** Where the pod of a workload lies. https://kubernetes.io/docs/concepts/workloads/ */
const POD_PATHS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Pod', ['spec']],
  ['PodTemplate', ['template', 'spec']],
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job'].map(
    (kind): [string, string[]] => [kind, ['spec', 'template', 'spec']],
  ),
  ['CronJob', ['spec', 'jobTemplate', 'spec', 'template', 'spec']],
]);
const TEXT_KINDS: ReadonlySet<string> = new Set(['ConfigMap', 'Secret']);
const TEXT_FIELDS = ['data', 'stringData'] as const;
/** API groups of Kubernetes itself beside the core; everything else is somebody's own, also below `k8s.io`. https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/ */
const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  ...['apps', 'autoscaling', 'batch', 'extensions', 'policy'],
  ...[
    'admissionregistration',
    'apiextensions',
    'apiregistration',
    'authentication',
    'authorization',
    'certificates',
    'coordination',
    'discovery',
    'events',
    'flowcontrol.apiserver',
    'internal.apiserver',
    'networking',
    'node',
    'rbac.authorization',
    'resource',
    'scheduling',
    'storage',
    'storagemigration',
  ].map((name) => `${name}.k8s.io`),
]);

/** Every image that a rendered object names, certain or likely. */
export function findRenderedImages(manifest: Manifest): FoundImages {
  const { kind, content } = manifest;
  const search: ImageSearch = { manifest, found: [], unreadable: [] };
  const podPath = POD_PATHS.get(kind);
  visitAnnotations(search, content, []);
  if (podPath !== undefined && isBuiltIn(content)) {
    visitWorkload(search, content, podPath);
  } else if (TEXT_KINDS.has(kind) && isBuiltIn(content)) {
    for (const field of TEXT_FIELDS) {
      const data = content[field];
      if (isYamlMap(data)) visitTexts(search, data, [field], kind === 'Secret' && field === 'data');
    }
  } else if (!isBuiltIn(content)) {
    for (const [key, value] of Object.entries(content)) {
      if (!['apiVersion', 'kind', 'metadata', 'status'].includes(key)) visitCustom(search, value, [key], content);
    }
  }
  return { images: search.found, unreadable: search.unreadable };
}

function isBuiltIn(content: Fields): boolean {
  const apiVersion = typeof content['apiVersion'] === 'string' ? content['apiVersion'] : '';
  const slash = apiVersion.indexOf('/');
  if (slash === -1) return true;
  return BUILT_IN_GROUPS.has(apiVersion.slice(0, slash));
}

function visitWorkload(search: ImageSearch, content: Fields, podPath: readonly string[]): void {
  let node: unknown = content;
  for (const [depth, key] of podPath.entries()) {
    node = isYamlMap(node) ? node[key] : undefined;
    if (isYamlMap(node)) visitAnnotations(search, node, podPath.slice(0, depth + 1));
  }
  if (isYamlMap(node)) visitPod(search, node, podPath);
}

function visitAnnotations(search: ImageSearch, node: Fields, path: YamlPath): void {
  const { metadata } = node;
  const annotations = isYamlMap(metadata) ? metadata['annotations'] : undefined;
  if (!isYamlMap(annotations)) return;
  for (const [key, value] of Object.entries(annotations)) {
    if (typeof value !== 'string') continue;
    // Long ones are copies of documents that stand elsewhere.
    const reference = parseLikelyImage(value, readImageHint(key) === 'image');
    if (reference !== undefined)
      addImage(search, { text: value, reference }, [...path, 'metadata', 'annotations', key], 'field');
  }
}

function visitTexts(search: ImageSearch, texts: Fields, path: YamlPath, areEncoded: boolean): void {
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value !== 'string') continue;
    const text = areEncoded ? decodeText(value) : value;
    if (text !== undefined) addText(search, { text, hint: readImageHint(key) }, [...path, key], 'text');
  }
}

/** Undefined for what is no base64, and no text behind it. */
function decodeText(encoded: string): string | undefined {
  const base64 = encoded.replaceAll(/[\r\n]/g, '');
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

function visitCustom(search: ImageSearch, node: unknown, path: YamlPath, parent: Fields): void {
  if (Array.isArray(node)) {
    for (const [index, item] of listEntries(node)) visitCustom(search, item, [...path, index], parent);
  } else if (typeof node === 'string') {
    visitCustomText(search, node, path, parent);
  } else if (isYamlMap(node)) {
    visitAnnotations(search, node, path);
    const isPod = CONTAINER_LISTS.some((list) =>
      listEntries(node[list]).some(([, item]) => isYamlMap(item) && 'image' in item),
    );
    const joined = joinSplitFields(node, lastKey(path));
    const skipped = new Set<string>(isPod ? CONTAINER_LISTS : []);
    if (isPod) visitPod(search, node, path);
    if (joined !== undefined) {
      const field = joined.isCertain ? 'custom-split' : 'field';
      addImage(search, joined, [...path, joined.key], field);
      for (const key of joined.keys) skipped.add(key);
    }
    for (const [key, value] of Object.entries(node)) {
      if (!skipped.has(key)) visitCustom(search, value, [...path, key], node);
    }
  }
}

function visitCustomText(search: ImageSearch, text: string, path: YamlPath, parent: Fields): void {
  const key = lastKey(path);
  if (key === 'image' || /Image$/.test(key)) {
    const reference = parseImageField(text.trim());
    if (reference === undefined) return;
    const { hasRegistry, hasFolder, hasIdentifier } = writtenParts(text, reference);
    const isCertain = key === 'image' || (hasIdentifier && (hasRegistry || hasFolder));
    addImage(search, { text: text.trim(), reference }, path, isCertain ? 'custom' : 'field');
    return;
  }
  // A list of variables has the hint beside the value.
  const { name } = parent;
  const hintKey = key === 'value' && typeof name === 'string' ? name : key;
  addText(search, { text, hint: readImageHint(hintKey) }, path, 'field');
}

/** One text for equal images, however they are written. */
export function imageIdentity(reference: Reference): string {
  return formatReference(
    reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference,
  );
}

function lastKey(path: YamlPath): string {
  const key = path.findLast((part) => typeof part === 'string');
  return typeof key === 'string' ? key : '';
}
