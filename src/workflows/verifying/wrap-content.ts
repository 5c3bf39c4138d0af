import type { SmallEntryPlace } from '../../archive/wrap-reader.ts';
import type { CheckedContent } from '../../content/checked-content.ts';
import type { ChartTree } from '../../domain/chart/chart-tree.ts';
import { isDtError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { MEDIA_TYPE_OCI_INDEX } from '../../domain/oci/media-types.ts';
import type { WrapDocument, WrapKind, WrappedChart } from '../../domain/wrap/wrap-document.ts';
import { parseLayoutPath } from '../../domain/wrap/wrap-path.ts';

export const LAYOUT_VERSION = '1.0.0';

/** A file of a wrap whose header was found good; the bytes have not been looked at yet. */
export interface WrapFile {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link';
  readonly mode: number;
  readonly sizeBytes: number;
  readonly linkTarget: string;
  /** Of small files. Those of the last member, which only unpacking programs look at, have none. */
  readonly place?: SmallEntryPlace;
}

/** A top folder of a wrap that is verified. */
export interface ContentFolder {
  readonly name: string;
  /** Absent in a wrap of single images. */
  readonly tree?: ChartTree;
  /** What wrap.json says of the chart. */
  readonly wrapped?: WrappedChart;
  readonly lockBytes?: Uint8Array;
}

/** An image layout of a wrap. */
export interface WrapLayout {
  /** True if `oci-layout` has the version that there is. */
  readonly isKnown: boolean;
  /** The one manifest that `index.json` names. */
  readonly root?: Digest;
  readonly digests: ReadonlySet<Digest>;
}

/** Everything of a wrap whose bytes were read and found sound. */
export interface WrapContent {
  readonly kind: WrapKind;
  /** Only our own wraps have one. */
  readonly document?: WrapDocument;
  readonly folders: readonly ContentFolder[];
  readonly content: CheckedContent;
  /** By their path in the archive. */
  readonly layouts: ReadonlyMap<string, WrapLayout>;
  /** `index.json` of what the Go tool keeps under `artifacts/`, by the path of the layout. */
  readonly artifacts: ReadonlyMap<string, Buffer>;
  readonly discovery?: Uint8Array;
  /** How many blobs were hashed, each copy counted, and how many bytes of them. */
  readonly blobCount: number;
  readonly blobBytes: number;
}

/** The layouts that these files make up. Only the small ones among their own files are read, one after the other. */
export async function groupLayouts<File extends { readonly path: string }>(
  files: readonly File[],
  read: (file: File) => Promise<Uint8Array | undefined>,
): Promise<Map<string, WrapLayout>> {
  const layouts = new Map<string, { isKnown: boolean; root?: Digest; readonly digests: Set<Digest> }>();
  for (const file of files) {
    const place = parseLayoutPath(file.path);
    if (place === undefined) continue;
    const layout = layouts.get(place.layout) ?? { isKnown: false, digests: new Set<Digest>() };
    layouts.set(place.layout, layout);
    if (place.digest !== undefined) {
      layout.digests.add(place.digest);
      continue;
    }
    const bytes = await read(file);
    if (bytes === undefined) continue;
    if (!file.path.endsWith('/index.json')) {
      layout.isKnown = isLayoutMark(bytes);
      continue;
    }
    const root = readLayoutRoot(bytes);
    if (root !== undefined) layout.root = root;
  }
  return layouts;
}

function readLayoutRoot(index: Uint8Array): Digest | undefined {
  try {
    const descriptor = { mediaType: MEDIA_TYPE_OCI_INDEX, digest: '' as Digest, size: index.length };
    const manifest = parseManifest({ descriptor, bytes: index });
    const [only, ...others] = manifest.kind === 'index' ? manifest.manifests : [];
    return others.length === 0 ? only?.digest : undefined;
  } catch (error) {
    if (isDtError(error)) return undefined;
    throw error;
  }
}

function isLayoutMark(mark: Uint8Array): boolean {
  try {
    const document = JSON.parse(Buffer.from(mark).toString()) as { imageLayoutVersion?: unknown } | null;
    return document?.imageLayoutVersion === LAYOUT_VERSION;
  } catch {
    return false;
  }
}
