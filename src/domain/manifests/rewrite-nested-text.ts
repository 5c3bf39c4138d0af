import { formatCarvelBody } from '../carvel/format-carvel-yaml.ts';
import { isDtError } from '../errors.ts';
import type { YamlValue } from '../yaml/yaml-value.ts';
import { editDocument } from './edit-document.ts';
import { formatCompact, formatManifest, toCarvelValue } from './format-manifest.ts';
import { readDocuments, type ManifestDocument } from './manifest-document.ts';
import type { RewriteText } from './rewrite-images.ts';

/** How manifests are printed: as they were written, or as kbld prints them. */
export type ManifestForm = 'as-written' | 'sorted';

/** Rewrites documents that are the text of a field, in the given form. What is no document of the format has no images. */
export function createTextRewriter(form: ManifestForm): RewriteText {
  return (text, format, replace) => {
    const isJson = readsAsJson(text);
    const documents = isJson || format === 'yaml' ? readNested(text) : undefined;
    if (documents === undefined) return undefined;
    const values = documents.map(({ roots }) => roots.map(({ value }) => replace(value)));
    const isSame = documents.every(({ roots }, index) => roots.every(({ value }, at) => value === values[index]?.[at]));
    if (isSame) return undefined;
    const edited = form === 'sorted' ? undefined : editAll(documents, values);
    return (
      edited ??
      values
        .flat()
        .map((value) => (isJson ? formatCompact(value) : formatAny(value)))
        .join('')
    );
  };
}

function editAll(
  documents: readonly ManifestDocument<YamlValue>[],
  values: readonly (readonly YamlValue[])[],
): string | undefined {
  const edited = documents.map((document, index) => editDocument(document, values[index] ?? []));
  return edited.every((text) => text !== undefined) ? edited.join('') : undefined;
}

function formatAny(value: YamlValue): string {
  if (value.kind === 'table') return `---\n${formatManifest(value)}`;
  return value.kind === 'list' ? `---\n${formatCarvelBody(value.items.map(toCarvelValue))}` : value.text;
}

function readsAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function readNested(text: string): readonly ManifestDocument<YamlValue>[] | undefined {
  try {
    return readDocuments(text, 'the text');
  } catch (error) {
    if (isDtError(error, 'DT_YAML_INVALID')) return undefined;
    throw error;
  }
}
