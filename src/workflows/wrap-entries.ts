import { LARGE_ENTRY_BYTES, type WrapEntry } from '../archive/wrap-plan.ts';
import type { Graph } from '../content/read-graph.ts';
import type { ChartTree } from '../domain/chart/chart-tree.ts';
import type { ChartMetadata } from '../domain/chart/chart-metadata.ts';
import type { ChartImage } from '../domain/chart/images-annotation.ts';
import { formatLockPlatform, LOCK_FILE_NAME, type LockImage } from '../domain/lock/images-lock.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { digestAlgorithm, digestHex, type Digest } from '../domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../domain/oci/manifest.ts';
import { MEDIA_TYPE_OCI_INDEX } from '../domain/oci/media-types.ts';
import {
  CHART_FOLDER,
  formatWrapDocument,
  WRAP_DISCOVERY_PATH,
  WRAP_DOCUMENT_PATH,
  WRAP_FORMAT_VERSION,
  wrapFolder,
  type WrapDocument,
  type WrappedBlob,
} from '../domain/wrap/wrap-document.ts';

const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#oci-layout-file */
const OCI_LAYOUT = Buffer.from(JSON.stringify({ imageLayoutVersion: '1.0.0' }, null, 2));

/** An image of the lock with everything that goes into the wrap for it. */
export interface ImageToWrap {
  readonly lockImage: LockImage;
  readonly graph: Graph;
  /** True if children of the index were left out. */
  readonly isFiltered: boolean;
}

/** An image that a light wrap only names. */
export interface NamedImage {
  readonly lockImage: LockImage;
}

export interface ChartToWrap {
  readonly metadata: ChartMetadata;
  readonly tree: ChartTree;
  readonly lockText: string;
  readonly images: readonly (ImageToWrap | NamedImage)[];
  /** Why each image is there. */
  readonly discovered: readonly ChartImage[];
}

export interface WrapContents {
  readonly entries: readonly WrapEntry[];
  readonly topFolder: string;
  /** Large blobs that several platform layouts share: the Go tool cannot read them from a link. */
  readonly sharedLargeBlobs: readonly Descriptor[];
}

/**
 * Lays out the tree of a wrap: wrap.json, Images.lock, chart, layout files, manifests, other small entries, large
 * blobs, links. `smallBlobs` holds the bytes of all blobs under `LARGE_ENTRY_BYTES`. With `isCompatible` no platform
 * layout holds a link, for readers that know nothing of links.
 */
export function buildWrapEntries(
  chart: ChartToWrap,
  smallBlobs: ReadonlyMap<Digest, Uint8Array>,
  isCompatible: boolean,
): WrapContents {
  const topFolder = wrapFolder(chart.metadata);
  const layouts = new LayoutWriter(topFolder, smallBlobs, isCompatible);
  const images = chart.images.filter((image) => 'graph' in image);
  for (const image of images) layouts.addPlatformLayouts(image);
  for (const image of images) layouts.addIndexLayout(image);
  const entries: WrapEntry[] = [
    file(`${topFolder}/${WRAP_DOCUMENT_PATH}`, formatWrapDocument(buildDocument(chart, topFolder, layouts.blobs()))),
    file(`${topFolder}/${CHART_FOLDER}/${LOCK_FILE_NAME}`, Buffer.from(chart.lockText)),
    ...chartEntries(chart.tree, `${topFolder}/${CHART_FOLDER}`),
    ...layouts.layoutFiles,
    ...layouts.manifests,
    ...layouts.smallBlobs,
    file(`${topFolder}/${WRAP_DISCOVERY_PATH}`, formatDiscovery(chart.discovered)),
    ...layouts.largeBlobs,
    ...layouts.links,
  ];
  return { entries, topFolder, sharedLargeBlobs: [...layouts.sharedLargeBlobs.values()] };
}

/** The entries of the `images/` folder, each blob stored once and linked or repeated where it occurs again. */
class LayoutWriter {
  readonly layoutFiles: WrapEntry[] = [];
  readonly manifests: WrapEntry[] = [];
  readonly smallBlobs: WrapEntry[] = [];
  readonly largeBlobs: WrapEntry[] = [];
  readonly links: WrapEntry[] = [];
  readonly sharedLargeBlobs = new Map<Digest, Descriptor>();
  readonly #paths = new Set<string>();
  readonly #blobs = new Map<Digest, WrappedBlob & { readonly path: string }>();
  readonly #topFolder: string;
  readonly #smallBytes: ReadonlyMap<Digest, Uint8Array>;
  readonly #isCompatible: boolean;

  constructor(topFolder: string, smallBytes: ReadonlyMap<Digest, Uint8Array>, isCompatible: boolean) {
    this.#topFolder = topFolder;
    this.#smallBytes = smallBytes;
    this.#isCompatible = isCompatible;
  }

  blobs(): WrappedBlob[] {
    return [...this.#blobs.values()];
  }

  /** One layout for each platform manifest of the lock. */
  addPlatformLayouts({ lockImage, graph }: ImageToWrap): void {
    const contents = new Map([graph.root, ...graph.manifests].map((content) => [content.descriptor.digest, content]));
    const available = new Set(graph.blobs.map(({ digest }) => digest));
    for (const { digest } of lockImage.digests) {
      const content = contents.get(digest);
      const folder = content === undefined ? undefined : this.#openLayout(content);
      if (content === undefined || folder === undefined) continue;
      this.#addManifest(folder, content);
      for (const blob of manifestSuccessors(parseManifest(content))) {
        if (available.has(blob.digest)) this.#addBlob(folder, blob, 'platform');
      }
    }
  }

  /** A complete layout for the untouched index; an image without index has none. */
  addIndexLayout({ lockImage, graph }: ImageToWrap): void {
    if (lockImage.digests.some(({ digest }) => digest === graph.root.descriptor.digest)) return;
    const folder = this.#openLayout(graph.root);
    if (folder === undefined) return;
    for (const content of [graph.root, ...graph.manifests]) this.#addManifest(folder, content);
    for (const blob of graph.blobs) {
      // Blobs of attestations have no platform layout: this is their only place.
      if (!this.#isCompatible || !this.#blobs.has(blob.digest)) this.#addBlob(folder, blob, 'index');
    }
  }

  /** The layout's folder, or undefined if it has been written for another image. */
  #openLayout({ descriptor }: ManifestContent): string | undefined {
    const folder = `${this.#topFolder}/images/${digestHex(descriptor.digest)}.layout`;
    if (this.#paths.has(folder)) return undefined;
    this.#paths.add(folder);
    const { mediaType, digest, size } = descriptor;
    const index = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE_OCI_INDEX,
      manifests: [{ mediaType, size, digest }],
    };
    this.layoutFiles.push(file(`${folder}/index.json`, Buffer.from(JSON.stringify(index, null, 2))));
    this.layoutFiles.push(file(`${folder}/oci-layout`, OCI_LAYOUT));
    return folder;
  }

  #addManifest(folder: string, { descriptor, bytes }: ManifestContent): void {
    const path = blobPath(folder, descriptor.digest);
    this.manifests.push(file(path, bytes));
    if (!this.#blobs.has(descriptor.digest)) this.#blobs.set(descriptor.digest, wrappedBlob(descriptor, path));
  }

  #addBlob(folder: string, descriptor: Descriptor, layout: 'platform' | 'index'): void {
    const { digest, size } = descriptor;
    const path = blobPath(folder, digest);
    if (this.#paths.has(path)) return;
    this.#paths.add(path);
    const first = this.#blobs.get(digest);
    if (first === undefined) this.#blobs.set(digest, wrappedBlob(descriptor, path));
    const bytes = this.#smallBytes.get(digest);
    if (bytes !== undefined) {
      this.smallBlobs.push(file(path, bytes));
      return;
    }
    if (first !== undefined && layout === 'platform') this.sharedLargeBlobs.set(digest, descriptor);
    if (first === undefined || this.#isCompatible)
      this.largeBlobs.push({ kind: 'blob', path, digest, sizeBytes: size });
    else this.links.push({ kind: 'link', path, target: first.path });
  }
}

/** True for a blob that is an entry of its own and not held in memory. */
export function isLargeBlob(descriptor: Descriptor): boolean {
  return descriptor.size >= LARGE_ENTRY_BYTES;
}

function buildDocument(chart: ChartToWrap, topFolder: string, blobs: readonly WrappedBlob[]): WrapDocument {
  const { name, version, appVersion } = chart.metadata;
  return {
    formatVersion: WRAP_FORMAT_VERSION,
    kind: 'chart',
    charts: [{ name, version, appVersion, path: `${topFolder}/${CHART_FOLDER}` }],
    images: chart.images.map(({ lockImage, ...image }) => ({
      chart: lockImage.chart,
      name: lockImage.name,
      reference: lockImage.image,
      ...('graph' in image ? { digest: image.graph.root.descriptor.digest } : {}),
      ...('graph' in image && image.isFiltered ? { isFiltered: true } : {}),
      platforms: lockImage.digests.map((entry) => ({ digest: entry.digest, platform: formatLockPlatform(entry) })),
    })),
    blobs,
  };
}

function chartEntries(tree: ChartTree, folder: string): WrapEntry[] {
  const entries = tree
    .filter(({ path }) => path !== LOCK_FILE_NAME)
    .map(({ path, type, mode, bytes }): WrapEntry =>
      type === 'directory'
        ? { kind: 'directory', path: `${folder}/${path}`, mode }
        : { kind: 'file', path: `${folder}/${path}`, mode, bytes },
    );
  return [{ kind: 'directory', path: folder, mode: FOLDER_MODE }, ...entries];
}

function formatDiscovery(images: readonly ChartImage[]): Buffer {
  const discovered = images.map(({ image, name, chart, annotationKey }) => ({
    reference: image,
    name,
    chart,
    confidence: 'declared',
    reasons: [{ kind: 'annotation', key: annotationKey }],
  }));
  return Buffer.from(`${JSON.stringify({ images: discovered }, null, 1)}\n`);
}

function wrappedBlob({ digest, size, mediaType }: Descriptor, path: string): WrappedBlob & { readonly path: string } {
  return { digest, size, mediaType, path };
}

function blobPath(folder: string, digest: Digest): string {
  return `${folder}/blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

function file(path: string, bytes: Uint8Array): WrapEntry {
  return { kind: 'file', path, mode: FILE_MODE, bytes };
}
