import type { CheckedContent } from '../../content/checked-content.ts';
import type { ChartTree } from '../../domain/chart/chart-tree.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import type { WrapDocument, WrapKind, WrappedChart } from '../../domain/wrap/wrap-document.ts';

/** A file of a wrap whose header was found good; the bytes have not been looked at yet. */
export interface WrapFile {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link';
  readonly mode: number;
  readonly sizeBytes: number;
  readonly linkTarget: string;
  /** Of small files. */
  readonly bytes?: Buffer;
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
  readonly index?: Uint8Array;
  readonly mark?: Uint8Array;
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

/** The layouts that these files make up. */
export function groupLayouts(
  files: readonly { readonly path: string; readonly bytes?: Uint8Array }[],
  parse: (path: string) => { readonly layout: string; readonly digest?: Digest } | undefined,
): Map<string, WrapLayout> {
  const layouts = new Map<string, { index?: Uint8Array; mark?: Uint8Array; readonly digests: Set<Digest> }>();
  for (const { path, bytes } of files) {
    const place = parse(path);
    if (place === undefined) continue;
    const layout = layouts.get(place.layout) ?? { digests: new Set<Digest>() };
    layouts.set(place.layout, layout);
    if (place.digest !== undefined) layout.digests.add(place.digest);
    else if (bytes !== undefined && path.endsWith('/index.json')) layout.index = bytes;
    else if (bytes !== undefined) layout.mark = bytes;
  }
  return layouts;
}
