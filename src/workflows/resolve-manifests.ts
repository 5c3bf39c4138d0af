import { formatCarvelBody } from '../domain/carvel/format-carvel-yaml.ts';
import type { ManifestImage } from '../domain/manifests/image-place.ts';
import { rewriteDocument } from '../domain/manifests/rewrite-document.ts';
import type { ManifestForm } from '../domain/manifests/rewrite-nested-text.ts';
import { DEFAULT_SEARCH_RULE } from '../domain/manifests/search-rule.ts';
import type { RunContext } from './context.ts';
import { resolveFound, searchManifests, type ResolutionOptions } from './manifests/find-and-resolve.ts';
import type { ResolvedManifestImage } from './manifests/resolve-manifest-images.ts';
import { writeImageLocks, type LockOutputs } from './manifests/write-image-locks.ts';

export interface ResolveManifestsOptions extends ResolutionOptions, LockOutputs {
  /** Tell in each object where its images come from. */
  readonly annotates: boolean;
  readonly form: ManifestForm;
}

export interface ResolveManifestsResult {
  /** The manifests with the images by digest. */
  readonly text: string;
  readonly images: readonly ResolvedManifestImage[];
  /** The locks that were written. */
  readonly files: readonly string[];
}

/** Makes the images of manifests final, and locks them if asked to. Throws what reading, resolving and writing throw. */
export async function resolveManifests(
  options: ResolveManifestsOptions,
  context: RunContext,
): Promise<ResolveManifestsResult> {
  const { platform, annotates, form } = options;
  const searched = await searchManifests(options);
  const { documents, searchRules } = searched.manifests;
  const images = await resolveFound(searched, { platform, likely: [] }, context);
  const files = await writeImageLocks({ images, searchRules }, options);
  const byImage = new Map(images.map(({ image, resolved }) => [image, resolved]));
  const rules = [...searchRules, DEFAULT_SEARCH_RULE];
  const texts = documents.map((document) => {
    const { text, isInPlace } = rewriteDocument(document, {
      rules,
      findImage: (image) => byImage.get(image),
      annotates,
      form,
    });
    if (!isInPlace) {
      context.reporter.warn(
        `a document of ${document.file} could not be edited in place: it is printed without its comments`,
      );
    }
    return text;
  });
  return { text: texts.join(''), images, files };
}

/** The images of manifests as they are written, without asking anybody, and the list of kbld of them. Throws as `searchManifests`. */
export async function listManifestImages(
  options: ResolutionOptions,
): Promise<{ readonly text: string; readonly images: readonly ManifestImage[] }> {
  const { images } = (await searchManifests(options)).found;
  return { text: formatCarvelBody(images.map(({ image }) => ({ image }))), images };
}
