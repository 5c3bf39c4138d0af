import { isDtError } from '../errors.ts';
import { isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import { readLenientValue } from '../yaml/read-lenient-value.ts';

/** One object of what Helm rendered. */
export interface Manifest {
  /** The template as Helm names it, `CHART/charts/SUBCHART/templates/FILE`; empty if Helm does not say. */
  readonly template: string;
  readonly kind: string;
  readonly name: string;
  /** True for a hook that only `helm test` runs. */
  readonly isTest: boolean;
  /** The document, or the item of a list. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** A document that is no YAML to us. */
export interface BrokenManifest {
  readonly template: string;
  /** What is wrong, with the line inside the document. */
  readonly reason: string;
}

export interface ParsedManifests {
  readonly manifests: readonly Manifest[];
  readonly broken: readonly BrokenManifest[];
}

/** A document of a rendering before it is parsed. */
export interface ManifestText {
  readonly template: string;
  readonly text: string;
}

const SEPARATOR = /^---(?=[ \t\r]|$)[^\n]*\n?/m;
const SOURCE_PATTERN = /^\s*# Source: ([^\r\n]+)/;
/** Definitions hold schemas of megabytes and never an image that runs. */
const DEFINITION_PATTERN = /^kind:[ \t]*["']?CustomResourceDefinition["']?[ \t]*\r?$/m;
const LIST_SUFFIX = 'List';
const HOOK_ANNOTATION = 'helm.sh/hook';
const TEST_HOOKS: ReadonlySet<string> = new Set(['test', 'test-success', 'test-failure']);

/** Cuts the output of `helm template` into its documents. One without a source comment belongs to the template of the one before it. */
export function splitManifests(output: string): ManifestText[] {
  let template = '';
  return output.split(SEPARATOR).flatMap((text) => {
    template = SOURCE_PATTERN.exec(text)?.[1]?.trim() ?? template;
    return /^[^\s#]/m.test(text) ? [{ template, text }] : [];
  });
}

/** Parses the documents of a rendering; lists are taken apart, definitions of custom resources left out. */
export function parseManifests(texts: readonly ManifestText[]): ParsedManifests {
  const manifests: Manifest[] = [];
  const broken: BrokenManifest[] = [];
  for (const { template, text } of texts) {
    if (DEFINITION_PATTERN.test(text)) continue;
    try {
      const content = parseDocument(text);
      if (isYamlMap(content)) manifests.push(...toManifests(template, content));
    } catch (error) {
      if (!isDtError(error, 'DT_YAML_INVALID')) throw error;
      broken.push({ template, reason: error.message });
    }
  }
  return { manifests, broken };
}

function parseDocument(text: string): unknown {
  try {
    return parseYaml(text, 'the document');
  } catch (error) {
    if (!isDtError(error, 'DT_YAML_INVALID')) throw error;
    return readLenientValue(text, 'the document');
  }
}

function toManifests(template: string, content: Record<string, unknown>): Manifest[] {
  const kind = readText(content['kind']);
  const { items } = content;
  if (kind.endsWith(LIST_SUFFIX) && Array.isArray(items)) {
    // What lies in a `PodList` needs not say that it is a Pod.
    const { apiVersion } = content;
    const itemType = kind === LIST_SUFFIX ? {} : { apiVersion, kind: kind.slice(0, -LIST_SUFFIX.length) };
    return items.filter(isYamlMap).flatMap((item) => toManifests(template, { ...itemType, ...item }));
  }
  const metadata = isYamlMap(content['metadata']) ? content['metadata'] : {};
  const annotations = isYamlMap(metadata['annotations']) ? metadata['annotations'] : {};
  const hooks = readText(annotations[HOOK_ANNOTATION])
    .split(',')
    .map((hook) => hook.trim())
    .filter((hook) => hook !== '');
  const isTest = hooks.length > 0 && hooks.every((hook) => TEST_HOOKS.has(hook));
  return [{ template, kind, name: readText(metadata['name']) || readText(metadata['generateName']), isTest, content }];
}

function readText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
