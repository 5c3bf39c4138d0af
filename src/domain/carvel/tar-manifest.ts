import { formatGoJson } from '../chart/go-json.ts';
import { DtError } from '../errors.ts';
import type { Descriptor, ManifestContent } from '../oci/descriptor.ts';
import { digestHex, digestAlgorithm, type Digest } from '../oci/digest.ts';
import { parseManifest, type ImageIndex, type ImageManifest } from '../oci/manifest.ts';
import { isImageLayer } from '../oci/media-types.ts';
import { formatPinnedReference, type PinnedReference } from './pinned-reference.ts';

export const TAR_MANIFEST_PATH = 'manifest.json';
/** Marks the one bundle that was asked for. */
export const ROOT_BUNDLE_LABEL = 'dev.carvel.imgpkg.copy.root-bundle';

/** An image or index with all that the table of contents of a bundle tar tells about it. */
export interface TarredImage {
  /** Where it was fetched. */
  readonly reference: PinnedReference;
  /** As the lock named it; empty for what no lock names. */
  readonly origin: string;
  /** The tag that a copy shall set, empty for none. */
  readonly tag: string;
  readonly isRootBundle: boolean;
  readonly root: ManifestContent;
  /** The manifests below the root. */
  readonly manifests: readonly ManifestContent[];
  readonly configs: ReadonlyMap<Digest, Uint8Array>;
}

/** The name of a layer in a bundle tar, the same for layers that are not compressed. */
export function layerPath(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}.tar.gz`;
}

/** The table of contents of a bundle tar. Throws DT_MANIFEST_INVALID for what it cannot express. */
export function formatTarManifest(images: readonly TarredImage[]): string {
  const items = images.map((image) => {
    const item = new ManifestItem(image);
    const manifest = parseManifest(image.root);
    return manifest.kind === 'index'
      ? { key: image.root.descriptor.digest, value: { ImageIndex: item.index(image.root, manifest), Image: null } }
      : {
          key: `${image.root.descriptor.digest}/${manifest.config.digest}`,
          value: { ImageIndex: null, Image: item.image(image.root, manifest) },
        };
  });
  items.sort((left, right) => (left.key < right.key ? -1 : 1));
  return formatGoJson(items.map(({ value }) => value));
}

class ManifestItem {
  readonly #image: TarredImage;
  readonly #manifests: ReadonlyMap<Digest, ManifestContent>;

  constructor(image: TarredImage) {
    this.#image = image;
    this.#manifests = new Map(image.manifests.map((content) => [content.descriptor.digest, content]));
  }

  index(content: ManifestContent, { manifests, mediaType }: ImageIndex): object {
    const { digest } = content.descriptor;
    const children = manifests.map((child) => this.#child(child, digest));
    const indexes = children.flatMap(({ child, manifest }) =>
      manifest.kind === 'index' ? [this.index(child, manifest)] : [],
    );
    const images = children.flatMap(({ child, manifest }) =>
      manifest.kind === 'manifest' ? [this.image(child, manifest)] : [],
    );
    return {
      Refs: this.#refs(digest),
      Images: images.length === 0 ? null : images,
      Indexes: indexes.length === 0 ? null : indexes,
      MediaType: mediaType,
      Digest: digest,
      Raw: toText(content.bytes, digest),
      ...this.#place(digest),
    };
  }

  image(content: ManifestContent, { config, layers, mediaType }: ImageManifest): object {
    const { digest } = content.descriptor;
    const raw = this.#image.configs.get(config.digest);
    if (raw === undefined) throw new TypeError(`the config of ${digest} was not read`);
    const diffIds = readDiffIds(raw);
    return {
      Refs: this.#refs(digest),
      Layers: layers.map((layer, index) => ({
        MediaType: layer.mediaType,
        Digest: layer.digest,
        DiffID: isImageLayer(layer.mediaType) ? (diffIds[index] ?? '') : '',
        Size: layer.size,
      })),
      Config: { Digest: config.digest, Raw: toText(raw, config.digest) },
      Manifest: { MediaType: mediaType, Digest: digest, Raw: toText(content.bytes, digest) },
      ...this.#place(digest),
    };
  }

  #child(
    descriptor: Descriptor,
    parent: Digest,
  ): { readonly child: ManifestContent; readonly manifest: ImageIndex | ImageManifest } {
    const child = this.#manifests.get(descriptor.digest);
    if (child !== undefined) return { child, manifest: parseManifest(child) };
    throw new DtError(
      'DT_MANIFEST_INVALID',
      `index ${parent} has ${descriptor.digest} of the type ${descriptor.mediaType}, for which a bundle tar has no place`,
    );
  }

  #refs(digest: Digest): readonly string[] {
    return [formatPinnedReference({ ...this.#image.reference, digest })];
  }

  #place(digest: Digest): object {
    const { root, tag, origin, isRootBundle } = this.#image;
    const isMarked = isRootBundle && digest === root.descriptor.digest;
    return {
      Tag: tag,
      OrigRef: origin,
      Labels: isMarked ? { [ROOT_BUNDLE_LABEL]: '' } : null,
    };
  }
}

function readDiffIds(config: Uint8Array): readonly string[] {
  try {
    const document = JSON.parse(new TextDecoder().decode(config)) as { rootfs?: { diff_ids?: unknown } } | null;
    const ids = document?.rootfs?.diff_ids;
    return Array.isArray(ids) ? ids.map((id: unknown) => (typeof id === 'string' ? id : '')) : [];
  } catch {
    return [];
  }
}

function toText(bytes: Uint8Array, digest: Digest): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new DtError('DT_MANIFEST_INVALID', `${digest} is no text, for which a bundle tar has no place`, {
      cause: error,
    });
  }
}
