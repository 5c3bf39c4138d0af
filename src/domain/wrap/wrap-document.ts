import type { AttachedArtifact } from '../oci/attached-artifact.ts';
import type { Digest } from '../oci/digest.ts';
import type { BasePlaces, WrapBase } from './wrap-base.ts';
import { requireBoundedJson } from './wrap-json.ts';
import { MAX_ATTACHED_ARTIFACTS, requireWithinLimit } from './wrap-limits.ts';

/** The only version of the wrap format so far; a reader refuses what it does not know. */
export const WRAP_FORMAT_VERSION = 1;
export const WRAP_EXTENSION = '.wrap.tgz';
/** In front of the extension of a wrap that leaves out what its bases have. */
export const DELTA_INFIX = '.delta';
/** A wrap of single images without a chart. */
export const CONTAINER_WRAP_EXTENSION = '.container.wrap.tgz';
export const WRAP_DOCUMENT_PATH = '.dt/wrap.json';
export const WRAP_TOC_PATH = '.dt/toc.json';
export const WRAP_DISCOVERY_PATH = '.dt/discovery.json';
export const CHART_FOLDER = 'chart';
/** Where the layouts of images lie, also those that were pulled into the folder of a chart. */
export const IMAGES_FOLDER = 'images';
/** What the chart came as, beside its unpacked folder. */
export const CHART_ORIGIN_FOLDER = 'artifacts/chart';

export interface WrappedChart {
  readonly name: string;
  readonly version: string;
  readonly appVersion: string;
  /** The chart folder in the archive, for instance `contour-19.3.2/chart`. */
  readonly path: string;
  /** The packaged chart as it came; absent for one that was a folder. */
  readonly archive?: Digest;
  /** The provenance file of that archive. https://helm.sh/docs/topics/provenance/ */
  readonly provenance?: Digest;
  /** The manifest of a chart that came from a registry, and its config. */
  readonly manifest?: Digest;
  readonly config?: Digest;
  /** Signatures and the like of that manifest. */
  readonly attached?: readonly AttachedArtifact[];
}

export interface WrappedPlatform {
  readonly digest: Digest;
  /** `os/arch[/variant]`. */
  readonly platform: string;
}

/** An image of the lock. A light wrap knows only chart, name and reference. */
export interface WrappedImage {
  readonly chart: string;
  readonly name: string;
  /** As the chart has it. */
  readonly reference: string;
  /** What the reference resolved to: an index or a single manifest. */
  readonly digest?: Digest;
  /** True if children of the index were left out. */
  readonly isFiltered?: boolean;
  readonly platforms: readonly WrappedPlatform[];
  /** Signatures and the like of the index, of its manifests and of other artifacts, each a layout of its own. */
  readonly attached?: readonly AttachedArtifact[];
  /** The top folder of the chart that has the image in its lock; absent in a wrap of one. */
  readonly folder?: string;
}

/** Content of the wrap: a manifest, config or layer. */
export interface WrappedBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  /** The entry that holds the bytes; absent for content that a base has. */
  readonly path?: string;
  /** Where the base has put it; of content without an entry. */
  readonly base?: BasePlaces;
}

/** Content that a delta leaves out. */
export type OmittedBlob = WrappedBlob & { readonly base: BasePlaces };

export type WrapKind = 'chart' | 'container';

/** `.dt/wrap.json`: what is in the wrap. */
export interface WrapDocument {
  readonly formatVersion: typeof WRAP_FORMAT_VERSION;
  readonly kind: WrapKind;
  /** Empty in a wrap of single images. */
  readonly charts: readonly WrappedChart[];
  readonly images: readonly WrappedImage[];
  readonly blobs: readonly WrappedBlob[];
  /** What the wrap adds to; present in a delta only. */
  readonly bases?: readonly WrapBase[];
}

/** What a delta leaves out; empty for any other wrap. */
export function listOmitted({ blobs }: Pick<WrapDocument, 'blobs'>): OmittedBlob[] {
  return blobs.filter((blob): blob is OmittedBlob => blob.path === undefined && blob.base !== undefined);
}

/** How much a delta leaves out, and the names of its bases. */
export interface OmittedSummary {
  readonly blobCount: number;
  readonly blobBytes: number;
  readonly bases: readonly string[];
}

/** Undefined for a wrap that is no delta. */
export function summarizeOmitted(document: WrapDocument): OmittedSummary | undefined {
  if (document.bases === undefined) return undefined;
  const omitted = listOmitted(document);
  return {
    blobCount: omitted.length,
    blobBytes: omitted.reduce((sum, { size }) => sum + size, 0),
    bases: document.bases.map(({ name }) => name),
  };
}

/** `NAME-VERSION`, the top folder of a chart in a wrap. */
export function wrapFolder(chart: { readonly name: string; readonly version: string }): string {
  return `${chart.name}-${chart.version}`;
}

/** The first part of the path of an entry. */
export function topFolderOf(path: string): string {
  return path.split('/', 1).join();
}

/** The path of an entry without its first part, the top folder; empty for the top folder itself. */
export function pathInTopFolder(path: string): string {
  return path.split('/').slice(1).join('/');
}

/** The bytes of `.dt/wrap.json`. Throws DT_LIMIT_EXCEEDED for a document that `parseWrapDocument` would refuse. */
export function formatWrapDocument(document: WrapDocument): Buffer {
  for (const { attached = [] } of [...document.charts, ...document.images]) {
    requireWithinLimit(attached.length, MAX_ATTACHED_ARTIFACTS, WRAP_DOCUMENT_PATH, 'artifacts of one image');
  }
  const bytes = Buffer.from(`${JSON.stringify(document, null, 1)}\n`);
  requireBoundedJson(bytes, WRAP_DOCUMENT_PATH);
  return bytes;
}
