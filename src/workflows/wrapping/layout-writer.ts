import { LARGE_ENTRY_BYTES, type WrapEntry } from '../../archive/wrap-plan.ts';
import type { ImageContent } from '../../content/image-content.ts';
import type { Graph } from '../../content/read-graph.ts';
import type { LockImage } from '../../domain/lock/images-lock.ts';
import type { Descriptor, ManifestContent } from '../../domain/oci/descriptor.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import {
  formatLayoutIndex,
  LAYOUT_INDEX_NAME,
  LAYOUT_MARKER,
  LAYOUT_MARKER_NAME,
  layoutBlobPath,
  layoutName,
} from '../../domain/oci/image-layout.ts';
import type { BasePlaces } from '../../domain/wrap/wrap-base.ts';
import type { WrappedBlob } from '../../domain/wrap/wrap-document.ts';
import { fileEntry } from './file-entry.ts';
import { hasIndexLayout, listPlatformGraphs } from './layout-graphs.ts';

/** An image of the lock with everything that goes into the wrap for it. */
export interface ImageToWrap extends ImageContent {
  readonly lockImage: LockImage;
}

export interface LayoutOptions {
  /** The bytes of all blobs under `LARGE_ENTRY_BYTES`. */
  readonly smallBlobs: ReadonlyMap<Digest, Uint8Array>;
  /** No platform layout holds a link, for readers that know nothing of links. */
  readonly isCompatible: boolean;
  /** Large blobs of images that are only listed, with the place where a base has them. */
  readonly omitted?: ReadonlyMap<Digest, BasePlaces> | undefined;
}

/** The entries of all layouts of a wrap, each blob stored once and linked or repeated where it occurs again. */
export class LayoutWriter {
  readonly layoutFiles: WrapEntry[] = [];
  readonly manifests: WrapEntry[] = [];
  readonly smallBlobs: WrapEntry[] = [];
  readonly largeBlobs: WrapEntry[] = [];
  readonly links: WrapEntry[] = [];
  /** Large blobs that several platform layouts share: the Go tool cannot read them from a link. */
  readonly sharedLargeBlobs = new Map<Digest, Descriptor>();
  readonly #paths = new Set<string>();
  readonly #blobs = new Map<Digest, WrappedBlob>();
  readonly #options: LayoutOptions;

  constructor(options: LayoutOptions) {
    this.#options = options;
  }

  /** Everything that the layouts hold, and what was noted. */
  blobs(): WrappedBlob[] {
    return [...this.#blobs.values()];
  }

  /** Lists content that lies in an entry of its own, outside of the layouts. */
  note(descriptor: Descriptor, path: string): void {
    const { digest, size, mediaType } = descriptor;
    if (this.#blobs.get(digest)?.path === undefined) this.#blobs.set(digest, { digest, size, mediaType, path });
  }

  /** One layout for each platform manifest of the lock, in a folder such as `contour-19.3.2/images`. */
  addPlatformLayouts(folder: string, image: ImageToWrap): void {
    for (const { root, blobs } of listPlatformGraphs(image)) {
      const layout = layoutPath(folder, root);
      if (!this.#openLayout(layout, root)) continue;
      this.#addManifest(layout, root);
      for (const blob of blobs) this.#addBlob(layout, blob, 'platform');
    }
  }

  /** A complete layout for the untouched index; an image without index has none. */
  addIndexLayout(folder: string, image: ImageToWrap): void {
    if (hasIndexLayout(image)) this.addLayout(folder, image.graph);
  }

  /** A layout with everything of a graph in the folder; nothing if its root has a layout there already. */
  addLayout(folder: string, graph: Graph): void {
    // Blobs of attestations and artifacts have no platform layout: this is their only place.
    const isWanted = ({ digest }: Descriptor): boolean => !this.#options.isCompatible || !this.#blobs.has(digest);
    this.#addGraph(layoutPath(folder, graph.root), graph, isWanted);
  }

  /** A layout at this path with all blobs of a graph, also those that lie elsewhere; nothing if there is one. */
  addLayoutAt(layout: string, graph: Graph): void {
    this.#addGraph(layout, graph, () => true);
  }

  #addGraph(layout: string, graph: Graph, isWanted: (blob: Descriptor) => boolean): void {
    if (!this.#openLayout(layout, graph.root)) return;
    for (const content of [graph.root, ...graph.manifests]) this.#addManifest(layout, content);
    for (const blob of graph.blobs) if (isWanted(blob)) this.#addBlob(layout, blob, 'complete');
  }

  /** Begins a layout; false if it has been written for another image. */
  #openLayout(layout: string, { descriptor }: ManifestContent): boolean {
    if (this.#paths.has(layout)) return false;
    this.#paths.add(layout);
    this.layoutFiles.push(fileEntry(`${layout}/${LAYOUT_INDEX_NAME}`, formatLayoutIndex(descriptor)));
    this.layoutFiles.push(fileEntry(`${layout}/${LAYOUT_MARKER_NAME}`, LAYOUT_MARKER));
    return true;
  }

  #addManifest(layout: string, { descriptor, bytes }: ManifestContent): void {
    const path = blobPath(layout, descriptor.digest);
    // One manifest may be a child twice, for two platforms.
    if (this.#paths.has(path)) return;
    this.#paths.add(path);
    this.manifests.push(fileEntry(path, bytes));
    this.note(descriptor, path);
  }

  #addBlob(layout: string, descriptor: Descriptor, kind: 'platform' | 'complete'): void {
    const { digest, size } = descriptor;
    const path = blobPath(layout, digest);
    if (this.#paths.has(path)) return;
    this.#paths.add(path);
    const base = this.#options.omitted?.get(digest);
    if (base !== undefined) {
      this.#blobs.set(digest, { digest, size, mediaType: descriptor.mediaType, base });
      return;
    }
    const first = this.#blobs.get(digest);
    this.note(descriptor, path);
    const bytes = this.#options.smallBlobs.get(digest);
    if (bytes !== undefined) {
      this.smallBlobs.push(fileEntry(path, bytes));
      return;
    }
    if (first !== undefined && kind === 'platform') this.sharedLargeBlobs.set(digest, descriptor);
    if (first?.path === undefined || this.#options.isCompatible) {
      this.largeBlobs.push({ kind: 'blob', path, digest, sizeBytes: size });
    } else this.links.push({ kind: 'link', path, target: first.path });
  }
}

/** True for a blob that is an entry of its own and not held in memory. */
export function isLargeBlob(descriptor: Descriptor): boolean {
  return descriptor.size >= LARGE_ENTRY_BYTES;
}

function layoutPath(folder: string, { descriptor }: ManifestContent): string {
  return `${folder}/${layoutName(descriptor.digest)}`;
}

function blobPath(folder: string, digest: Digest): string {
  return `${folder}/${layoutBlobPath(digest)}`;
}
