import { findRenderedImages } from '../discovery/find-rendered-images.ts';
import type { ImageField } from '../discovery/rendered-image.ts';
import { formatYamlPath, type YamlPath } from '../yaml/yaml-tree.ts';
import type { YamlTable } from '../yaml/yaml-value.ts';
import type { Manifests } from './collect-manifests.ts';
import type { ImagePlace, LikelyImage, ManifestImage } from './image-place.ts';
import { readField, toPlainTable } from './manifest-document.ts';
import { listObjects, visitImages } from './rewrite-document.ts';
import { DEFAULT_SEARCH_RULE } from './search-rule.ts';

export interface FoundManifestImages {
  /** Sorted, each once. */
  readonly images: readonly ManifestImage[];
  readonly likely: readonly LikelyImage[];
}

/** Definitions hold schemas, and never an image that runs. */
const DEFINITION_KIND = 'CustomResourceDefinition';

/** Every image of the manifests: those that the search rules find, as with kbld, and apart from them what else looks like one. */
export function findManifestImages({ documents, searchRules }: Manifests): FoundManifestImages {
  const certain = new ImageCollector();
  const likely = new ImageCollector();
  const fields = new Map<string, ImageField>();
  const rules = [...searchRules, DEFAULT_SEARCH_RULE];
  for (const { file, roots } of documents) {
    for (const object of roots.flatMap(({ value }) => listObjects(value))) {
      const place = { file, ...describeObject(object) };
      visitImages(object, rules, (image, path) => {
        certain.add(image, place, path);
      });
      for (const { text, field, path } of findLikely(object, file)) {
        likely.add(text, place, path);
        if (!fields.has(text)) fields.set(text, field);
      }
    }
  }
  const others = likely.list().filter(({ image }) => !certain.has(image));
  return {
    images: certain.list(),
    likely: others.map((image) => ({ ...image, field: fields.get(image.image) ?? 'text' })),
  };
}

interface LikelyText {
  readonly text: string;
  readonly field: ImageField;
  readonly path: YamlPath;
}

function findLikely(object: YamlTable, file: string): readonly LikelyText[] {
  const { kind, name } = describeObject(object);
  if (kind === DEFINITION_KIND) return [];
  const manifest = { template: file, kind, name, isTest: false, content: toPlainTable(object) };
  return findRenderedImages(manifest)
    .images.filter(({ isComplete }) => isComplete)
    .map(({ text, field, place }) => ({ text, field, path: place.path }));
}

function describeObject(object: YamlTable): Pick<ImagePlace, 'kind' | 'name'> {
  const metadata = object.pairs.get('metadata')?.value;
  const name =
    metadata?.kind === 'table' ? (readField(metadata, 'name') ?? readField(metadata, 'generateName')) : undefined;
  return { kind: readField(object, 'kind') ?? '', name: name ?? '' };
}

class ImageCollector {
  readonly #places = new Map<string, ImagePlace[]>();

  add(image: string, place: Omit<ImagePlace, 'path'>, path: YamlPath): void {
    const places = this.#places.get(image) ?? [];
    this.#places.set(image, places);
    places.push({ ...place, path: formatYamlPath(path) });
  }

  has(image: string): boolean {
    return this.#places.has(image);
  }

  list(): readonly ManifestImage[] {
    return [...this.#places]
      .map(([image, places]) => ({ image, places }))
      .toSorted((left, right) => (left.image < right.image ? -1 : 1));
  }
}
