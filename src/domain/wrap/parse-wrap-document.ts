import { DtError } from '../errors.ts';
import { JsonFields } from '../json-fields.ts';
import { isAttachedTag, type AttachedArtifact } from '../oci/attached-artifact.ts';
import type { Digest } from '../oci/digest.ts';
import { isTag } from '../oci/reference.ts';
import { readBasePlaces, readWrapBases } from './wrap-base.ts';
import {
  WRAP_DOCUMENT_PATH,
  WRAP_FORMAT_VERSION,
  type WrapDocument,
  type WrappedBlob,
  type WrappedChart,
  type WrappedImage,
} from './wrap-document.ts';
import { parseJson } from './wrap-json.ts';
import { MAX_ATTACHED_ARTIFACTS, requireWithinLimit } from './wrap-limits.ts';

const FIELDS = new JsonFields(invalid);

/**
 * Reads and checks `.dt/wrap.json`. Throws DT_WRAP_UNSUPPORTED for another format version, DT_LIMIT_EXCEEDED, DT_WRAP_INVALID
 * otherwise.
 */
export function parseWrapDocument(bytes: Uint8Array): WrapDocument {
  const root = FIELDS.record(parseJson(bytes, WRAP_DOCUMENT_PATH), 'the document');
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
    charts: FIELDS.list(root['charts'], 'charts').map(readChart),
    images: FIELDS.list(root['images'], 'images').map(readImage),
    blobs: FIELDS.list(root['blobs'], 'blobs').map(readBlob),
    ...(root['bases'] === undefined ? {} : { bases: readWrapBases(root['bases'], FIELDS) }),
  };
}

function readChart(value: unknown): WrappedChart {
  const record = FIELDS.record(value, 'a chart');
  return {
    name: FIELDS.text(record['name'], 'the name of a chart'),
    version: FIELDS.text(record['version'], 'the version of a chart'),
    appVersion: FIELDS.text(record['appVersion'], 'the appVersion of a chart'),
    path: FIELDS.text(record['path'], 'the path of a chart'),
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
  return record[name] === undefined
    ? {}
    : ({ [name]: FIELDS.digest(record[name]) } as { readonly [Key in Name]: Digest });
}

function readAttached(record: Record<string, unknown>): { readonly attached?: readonly AttachedArtifact[] } {
  if (record['attached'] === undefined) return {};
  const list = FIELDS.list(record['attached'], 'the list of attached artifacts');
  requireWithinLimit(list.length, MAX_ATTACHED_ARTIFACTS, WRAP_DOCUMENT_PATH, 'artifacts of one image');
  const attached = list.map((item) => readAttachedArtifact(item, FIELDS));
  return { attached };
}

/** An artifact as documents name it. */
export function readAttachedArtifact(value: unknown, fields: JsonFields): AttachedArtifact {
  const record = fields.record(value, 'an attached artifact');
  const subject = fields.digest(record['subject']);
  const digest = fields.digest(record['digest']);
  if (record['tag'] === undefined) return { subject, digest };
  // It must not be the tag of an image.
  const isRight = (tag: string): boolean => isTag(tag) && isAttachedTag(tag, subject);
  return { subject, digest, tag: fields.textThat(isRight, record['tag'], 'the tag of an attached artifact') };
}

function readImage(value: unknown): WrappedImage {
  const record = FIELDS.record(value, 'an image');
  return {
    chart: FIELDS.text(record['chart'], 'the chart of an image'),
    name: FIELDS.text(record['name'], 'the name of an image'),
    reference: FIELDS.text(record['reference'], 'the reference of an image'),
    ...readDigestField(record, 'digest'),
    ...(record['isFiltered'] === true ? { isFiltered: true } : {}),
    platforms: FIELDS.list(record['platforms'], 'the platforms of an image').map((item) => {
      const platform = FIELDS.record(item, 'a platform');
      return { digest: FIELDS.digest(platform['digest']), platform: FIELDS.text(platform['platform'], 'a platform') };
    }),
    ...readAttached(record),
    ...(record['folder'] === undefined ? {} : { folder: FIELDS.text(record['folder'], 'the folder of an image') }),
  };
}

function readBlob(value: unknown): WrappedBlob {
  const record = FIELDS.record(value, 'a blob');
  return {
    digest: FIELDS.digest(record['digest']),
    size: FIELDS.size(record['size'], 'the size of a blob'),
    mediaType: FIELDS.text(record['mediaType'], 'the media type of a blob'),
    ...(record['path'] === undefined ? {} : { path: FIELDS.text(record['path'], 'the path of a blob') }),
    ...(record['base'] === undefined ? {} : { base: readBasePlaces(record['base'], FIELDS) }),
  };
}

function invalid(why: string): DtError {
  return new DtError('DT_WRAP_INVALID', `${WRAP_DOCUMENT_PATH} in the wrap is not valid: ${why}`);
}
