import { findTag } from '../content/copy-graph.ts';
import type { RegistryStore } from '../content/registry-store.ts';
import { locationsTag } from '../domain/carvel/bundle-tags.ts';
import type { DescribedBundle, DescribedImage } from '../domain/carvel/described-bundle.ts';
import { formatPinnedReference, type PinnedReference } from '../domain/carvel/pinned-reference.ts';
import type { ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { parseManifest } from '../domain/oci/manifest.ts';
import { chooseSource } from './bundle/copy-source.ts';
import type { CarriedImage } from './bundle/carried-image.ts';
import { gatherBundle } from './bundle/gather-bundle.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import { openRepository } from './registry-stores.ts';

export interface DescribeBundleOptions {
  readonly bundle: string;
  readonly withLayers: boolean;
  /** Also signatures and what else is attached to the images. */
  readonly withAttached: boolean;
}

/**
 * What a bundle holds: the images of its lock, the bundles among them with theirs, what is attached, and the lists of places. Everything is sorted by digest.
 * Throws DT_USAGE for a plain image, DT_LOCK_INVALID, and the registry errors.
 */
export async function describeBundle(
  { bundle, withLayers, withAttached }: DescribeBundleOptions,
  context: RunContext,
): Promise<DescribedBundle> {
  return nameSide('source', async () => {
    const source = await chooseSource({ bundle }, context);
    const options = { attached: withAttached ? 'all' : 'none', includeNonDistributable: false } as const;
    const images = await gatherBundle(source, options, context);
    const root = images.find(({ isRoot }) => isRoot);
    if (root === undefined) throw new TypeError('the bundle was not read');
    return new Description(images, withLayers, context).describe(root);
  });
}

class Description {
  readonly #images: ReadonlyMap<Digest, CarriedImage>;
  readonly #attached: readonly CarriedImage[];
  readonly #withLayers: boolean;
  readonly #context: RunContext;

  constructor(images: readonly CarriedImage[], withLayers: boolean, context: RunContext) {
    this.#images = new Map(
      images.filter(({ artifact }) => artifact === undefined).map((image) => [image.reference.digest, image]),
    );
    this.#attached = images.filter(({ artifact }) => artifact !== undefined);
    this.#withLayers = withLayers;
    this.#context = context;
  }

  /** `above` are the bundles that it lies in: none is described inside itself. */
  async describe(bundle: CarriedImage, above: readonly Digest[] = []): Promise<DescribedBundle> {
    const bundles: DescribedBundle[] = [];
    const images: DescribedImage[] = [];
    const inside = [...above, bundle.reference.digest];
    for (const { reference, annotations } of bundle.bundled ?? []) {
      const image = this.#images.get(reference.digest);
      if (image === undefined) continue;
      const origin = formatPinnedReference(reference);
      const noted = annotations === undefined ? {} : { annotations };
      if (image.bundled === undefined) images.push({ ...this.#describe(image), origin, imageType: 'Image', ...noted });
      else if (!inside.includes(reference.digest))
        bundles.push({ ...(await this.describe(image, inside)), origin, ...noted });
      images.push(...this.#describeAttached(image));
    }
    images.push(
      ...(above.length === 0 ? this.#describeAttached(bundle) : []),
      ...(await this.#describeInternal(bundle)),
    );
    return { ...this.#describe(bundle), bundles: sort(bundles), images: sort(images) };
  }

  #describe({ reference, origin, graph }: CarriedImage): Omit<DescribedImage, 'imageType'> {
    const image = formatPinnedReference(reference);
    const layers = this.#withLayers ? { layers: listLayers(graph.root, graph.manifests) } : {};
    return { digest: reference.digest, image, origin: origin === '' ? image : origin, ...layers };
  }

  #describeAttached(image: CarriedImage): DescribedImage[] {
    const digests = new Set([image.graph.root, ...image.graph.manifests].map(({ descriptor }) => descriptor.digest));
    // What is attached comes behind its subject.
    const isAttachedHere = ({ artifact, reference: { digest } }: CarriedImage): boolean => {
      if (artifact === undefined || !digests.has(artifact.subject)) return false;
      digests.add(digest);
      return true;
    };
    return this.#attached.filter(isAttachedHere).map((attached) => ({
      ...this.#describe(attached),
      imageType: attached.tag?.endsWith('.sig') === true ? 'Signature' : 'Attached',
      ...(attached.tag === undefined ? {} : { annotations: { tag: attached.tag } }),
    }));
  }

  async #describeInternal({ reference }: CarriedImage): Promise<DescribedImage[]> {
    const store = openRepository(this.#context, reference);
    const content = await readTagged(store, locationsTag(reference.digest), this.#context.signal);
    if (content === undefined) return [];
    const place: PinnedReference = { ...reference, digest: content.descriptor.digest };
    const image = formatPinnedReference(place);
    const layers = this.#withLayers ? { layers: listLayers(content, []) } : {};
    return [{ digest: place.digest, image, origin: image, imageType: 'Internal', ...layers }];
  }
}

async function readTagged(
  store: RegistryStore,
  tag: string,
  signal: AbortSignal,
): Promise<ManifestContent | undefined> {
  const digest = await findTag(store, tag, signal);
  return digest === undefined ? undefined : store.readManifest(digest, { signal });
}

/** Of an index those of linux/amd64, as imgpkg has it, or of its first image. */
function listLayers(root: ManifestContent, manifests: readonly ManifestContent[]): readonly Digest[] {
  const manifest = parseManifest(root);
  if (manifest.kind === 'manifest') return manifest.layers.map(({ digest }) => digest);
  const isUsual = ({ platform }: (typeof manifest.manifests)[number]): boolean =>
    platform?.os === 'linux' && platform.architecture === 'amd64';
  const chosen = manifest.manifests.find(isUsual) ?? manifest.manifests[0];
  const content = manifests.find(({ descriptor }) => descriptor.digest === chosen?.digest);
  return content === undefined ? [] : listLayers(content, manifests);
}

function sort<T extends { readonly digest: Digest }>(items: readonly T[]): readonly T[] {
  const byDigest = new Map(items.map((item) => [item.digest, item]));
  return [...byDigest.values()].sort((left, right) => (left.digest < right.digest ? -1 : 1));
}
