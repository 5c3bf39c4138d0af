import { CARVEL_API_VERSION, CARVEL_LOCK_KIND, ID_ANNOTATION, ORIGINS_ANNOTATION } from '../carvel/carvel-lock.ts';
import { parseOrigins } from '../carvel/image-origins.ts';
import { isKbldConfig, parseKbldConfig } from '../carvel/parse-kbld-config.ts';
import { parseImagesLock } from '../carvel/parse-carvel-lock.ts';
import { formatPinnedReference } from '../carvel/pinned-reference.ts';
import { DtError } from '../errors.ts';
import type { YamlTable } from '../yaml/yaml-value.ts';
import { formatManifest } from './format-manifest.ts';
import type { ImageOverride } from './image-override.ts';
import { readField, toPlainTable, type ManifestDocument } from './manifest-document.ts';
import type { SearchRule } from './search-rule.ts';

/** Manifests with what locks and configurations among them say of their images. */
export interface Manifests {
  readonly documents: readonly ManifestDocument[];
  readonly overrides: readonly ImageOverride[];
  /** Those of the configurations, without the default one. */
  readonly searchRules: readonly SearchRule[];
}

/** Takes locks and configurations out of the documents. Throws DT_CONFIG_INVALID, DT_LOCK_INVALID. */
export function collectManifests(all: readonly ManifestDocument[]): Manifests {
  const documents: ManifestDocument[] = [];
  const overrides: ImageOverride[] = [];
  const searchRules: SearchRule[] = [];
  for (const document of all) {
    const { file, roots } = document;
    let isManifest = roots.length === 0;
    for (const { value } of roots) {
      const fields = { apiVersion: readField(value, 'apiVersion'), kind: readField(value, 'kind') };
      if (isKbldConfig(fields)) {
        const config = parseKbldConfig(toPlainTable(value), file);
        overrides.push(...config.overrides);
        searchRules.push(...config.searchRules);
      } else if (fields.apiVersion?.startsWith(CARVEL_GROUP) === true && fields.kind === CARVEL_LOCK_KIND) {
        overrides.push(...readLockOverrides(value, file));
      } else {
        isManifest = true;
      }
    }
    if (isManifest) documents.push(document);
  }
  return { documents, overrides, searchRules: withoutRepeats(searchRules) };
}

/** Also of versions that are not known, which are refused by name. */
const CARVEL_GROUP = CARVEL_API_VERSION.slice(0, CARVEL_API_VERSION.indexOf('/') + 1);

function readLockOverrides(value: YamlTable, file: string): ImageOverride[] {
  const images = parseImagesLock(new TextEncoder().encode(formatManifest(value)), file);
  return images.map(({ reference, annotations = {} }): ImageOverride => {
    const newImage = formatPinnedReference(reference);
    const image = annotations[ID_ANNOTATION];
    if (image === undefined || image === '') {
      throw new DtError('DT_LOCK_INVALID', `${file} does not say which image of the manifests ${newImage} is`, {
        detail: `Its annotation ${ID_ANNOTATION} is missing.`,
        hints: ['{bin} manifests lock -f MANIFESTS --imgpkg-lock-output LOCK'],
      });
    }
    const origins = parseOrigins(annotations[ORIGINS_ANNOTATION] ?? '', file);
    return { matcher: { image }, newImage, isPreresolved: true, origins, file };
  });
}

function withoutRepeats(rules: readonly SearchRule[]): readonly SearchRule[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}
