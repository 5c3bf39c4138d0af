import { DtError } from '../errors.ts';
import { isAttachedTag, type AttachedArtifact } from '../oci/attached-artifact.ts';
import { isDigest, type Digest } from '../oci/digest.ts';
import { isTag } from '../oci/reference.ts';
import {
  MAX_ATTACHED_ARTIFACTS,
  MAX_WRAP_DOCUMENT_BYTES,
  MAX_WRAP_DOCUMENT_MARKS,
  requireWithinLimit,
} from './wrap-limits.ts';

/** The only version of the wrap format so far; a reader refuses what it does not know. */
export const WRAP_FORMAT_VERSION = 1;
export const WRAP_EXTENSION = '.wrap.tgz';
/** A wrap of single images without a chart. */
export const CONTAINER_WRAP_EXTENSION = '.container.wrap.tgz';
export const WRAP_DOCUMENT_PATH = '.dt/wrap.json';
export const WRAP_TOC_PATH = '.dt/toc.json';
export const WRAP_DISCOVERY_PATH = '.dt/discovery.json';
export const CHART_FOLDER = 'chart';
/** What the chart came as, beside its unpacked folder. */
export const CHART_ORIGIN_FOLDER = 'artifacts/chart';

const MARKS = new Set(['[', '{', ',', ':'].map((mark) => mark.charCodeAt(0)));

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
  /** The entry that holds the bytes; absent for content that a base is said to have. */
  readonly path?: string;
}

export type WrapKind = 'chart' | 'container';

/** `.dt/wrap.json`: what is in the wrap. */
export interface WrapDocument {
  readonly formatVersion: typeof WRAP_FORMAT_VERSION;
  readonly kind: WrapKind;
  /** Empty in a wrap of single images. */
  readonly charts: readonly WrappedChart[];
  readonly images: readonly WrappedImage[];
  readonly blobs: readonly WrappedBlob[];
}

/** `NAME-VERSION`, the top folder of a chart in a wrap. */
export function wrapFolder(chart: { readonly name: string; readonly version: string }): string {
  return `${chart.name}-${chart.version}`;
}

/** The path of an entry without its first part, the top folder; empty for the top folder itself. */
export function pathInTopFolder(path: string): string {
  return path.split('/').slice(1).join('/');
}

/** The bytes of `.dt/wrap.json`. Throws DT_LIMIT_EXCEEDED for a document that `parseWrapDocument` would refuse. */
export function formatWrapDocument(document: WrapDocument): Buffer {
  for (const { attached } of [...document.charts, ...document.images]) requireFewArtifacts(attached ?? []);
  const bytes = Buffer.from(`${JSON.stringify(document, null, 1)}\n`);
  requireBoundedJson(bytes, WRAP_DOCUMENT_PATH);
  return bytes;
}

/**
 * Reads and checks `.dt/wrap.json`. Throws DT_WRAP_UNSUPPORTED for another format version, DT_LIMIT_EXCEEDED, DT_WRAP_INVALID
 * otherwise.
 */
export function parseWrapDocument(bytes: Uint8Array): WrapDocument {
  const root = asRecord(parseJson(bytes, WRAP_DOCUMENT_PATH), 'the document');
  const { kind } = root;
  if (root['formatVersion'] !== WRAP_FORMAT_VERSION || (kind !== 'chart' && kind !== 'container')) {
    throw new DtError(
      'DT_WRAP_UNSUPPORTED',
      `the wrap has format version ${JSON.stringify(root['formatVersion'])} and kind ${JSON.stringify(kind)}; this program reads version ${String(WRAP_FORMAT_VERSION)} of charts and containers`,
      { detail: 'It was made by a newer version of dt.' },
    );
  }
  return {
    formatVersion: WRAP_FORMAT_VERSION,
    kind,
    charts: asList(root['charts'], 'charts').map(readChart),
    images: asList(root['images'], 'images').map(readImage),
    blobs: asList(root['blobs'], 'blobs').map(readBlob),
  };
}

function readChart(value: unknown): WrappedChart {
  const record = asRecord(value, 'a chart');
  return {
    name: asText(record['name'], 'the name of a chart'),
    version: asText(record['version'], 'the version of a chart'),
    appVersion: asText(record['appVersion'], 'the appVersion of a chart'),
    path: asText(record['path'], 'the path of a chart'),
    ...readDigestField(record, 'archive'),
    ...readDigestField(record, 'provenance'),
    ...readDigestField(record, 'manifest'),
    ...readDigestField(record, 'config'),
    ...readAttached(record),
  };
}

function readDigestField<Name extends string>(
  record: Record<string, unknown>,
  name: Name,
): { readonly [Key in Name]?: Digest } {
  return record[name] === undefined ? {} : ({ [name]: asDigest(record[name]) } as { readonly [Key in Name]: Digest });
}

function readAttached(record: Record<string, unknown>): { readonly attached?: readonly AttachedArtifact[] } {
  if (record['attached'] === undefined) return {};
  const list = asList(record['attached'], 'the list of attached artifacts');
  requireFewArtifacts(list);
  const attached = list.map((item): AttachedArtifact => {
    const record = asRecord(item, 'an attached artifact');
    const subject = asDigest(record['subject']);
    const digest = asDigest(record['digest']);
    if (record['tag'] === undefined) return { subject, digest };
    const tag = asText(record['tag'], 'the tag of an attached artifact');
    // It must not be the tag of an image.
    if (!isTag(tag) || !isAttachedTag(tag, subject)) throw invalid('an attached artifact has another tag than it may');
    return { subject, digest, tag };
  });
  return { attached };
}

function readImage(value: unknown): WrappedImage {
  const record = asRecord(value, 'an image');
  return {
    chart: asText(record['chart'], 'the chart of an image'),
    name: asText(record['name'], 'the name of an image'),
    reference: asText(record['reference'], 'the reference of an image'),
    ...readDigestField(record, 'digest'),
    ...(record['isFiltered'] === true ? { isFiltered: true } : {}),
    platforms: asList(record['platforms'], 'the platforms of an image').map((item) => {
      const platform = asRecord(item, 'a platform');
      return { digest: asDigest(platform['digest']), platform: asText(platform['platform'], 'a platform') };
    }),
    ...readAttached(record),
    ...(record['folder'] === undefined ? {} : { folder: asText(record['folder'], 'the folder of an image') }),
  };
}

function readBlob(value: unknown): WrappedBlob {
  const record = asRecord(value, 'a blob');
  const size = record['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid('the size of a blob is missing');
  return {
    digest: asDigest(record['digest']),
    size,
    mediaType: asText(record['mediaType'], 'the media type of a blob'),
    ...(record['path'] === undefined ? {} : { path: asText(record['path'], 'the path of a blob') }),
  };
}

function requireFewArtifacts({ length }: readonly unknown[]): void {
  requireWithinLimit(length, MAX_ATTACHED_ARTIFACTS, WRAP_DOCUMENT_PATH, 'artifacts of one image');
}

/** A document that lies in a wrap may have this size and as many values. Throws DT_LIMIT_EXCEEDED. */
export function requireBoundedJson(bytes: Uint8Array, name: string): void {
  requireWithinLimit(bytes.length, MAX_WRAP_DOCUMENT_BYTES, name, 'bytes');
  let marks = 0;
  for (const byte of bytes) if (MARKS.has(byte)) marks++;
  requireWithinLimit(marks, MAX_WRAP_DOCUMENT_MARKS, name, 'values');
}

/** Parses JSON that lies in a wrap. Throws DT_WRAP_INVALID naming the entry, DT_LIMIT_EXCEEDED. */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  requireBoundedJson(bytes, name);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new DtError('DT_WRAP_INVALID', `${name} in the wrap is not JSON`, { cause: error });
  }
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(`${what} is not an object`);
}

function asList(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(`${what} is not a list`);
}

function asText(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw invalid(`${what} is missing`);
}

function asDigest(value: unknown): Digest {
  if (typeof value === 'string' && isDigest(value)) return value;
  throw invalid('a digest is not valid');
}

function invalid(why: string): DtError {
  return new DtError('DT_WRAP_INVALID', `${WRAP_DOCUMENT_PATH} in the wrap is not valid: ${why}`);
}
