import { DtError } from '../errors.ts';
import type { Descriptor, ManifestContent } from './descriptor.ts';
import { isDigest, parseDigest, type Digest } from './digest.ts';
import { isIndexMediaType, isManifestMediaType, MEDIA_TYPE_OCI_INDEX, MEDIA_TYPE_OCI_MANIFEST } from './media-types.ts';
import { readPlatform } from './platform.ts';

/** Registries must accept manifests of 4 MiB; some accept more. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests */
export const MAX_MANIFEST_BYTES = 8 * 1024 * 1024;
const MAX_DESCRIPTORS = 10_000;

/** An image index or a Docker manifest list. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
}

/** An image or artifact manifest. */
export interface ImageManifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly artifactType?: string;
}

export type Manifest = ImageIndex | ImageManifest;

/** BuildKit's mark of attestation manifests inside an index. https://github.com/moby/buildkit/blob/v0.17.0/docs/attestations/attestation-storage.md */
const ATTESTATION_ANNOTATION = 'vnd.docker.reference.type';
const ATTESTED_DIGEST_ANNOTATION = 'vnd.docker.reference.digest';

export function isAttestation(descriptor: Descriptor): boolean {
  return descriptor.annotations?.[ATTESTATION_ANNOTATION] === 'attestation-manifest';
}

/** The digest of the platform manifest that an attestation in the same index describes; undefined for everything else. */
export function attestedDigest(descriptor: Descriptor): Digest | undefined {
  const digest = isAttestation(descriptor) ? descriptor.annotations?.[ATTESTED_DIGEST_ANNOTATION] : undefined;
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}

/** Every descriptor that the manifest points to, subject excluded: children of an index, else config and layers. */
export function manifestSuccessors(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === 'index' ? manifest.manifests : [manifest.config, ...manifest.layers];
}

/** Parses the bytes of a manifest or index. Throws DT_MANIFEST_INVALID; Docker schema 1 is refused by name. */
export function parseManifest(content: ManifestContent): Manifest {
  const { descriptor, bytes } = content;
  const reject = (why: string): DtError =>
    new DtError('DT_MANIFEST_INVALID', `manifest ${descriptor.digest} is not valid: ${why}`);
  if (bytes.length > MAX_MANIFEST_BYTES) throw reject(`it is larger than ${String(MAX_MANIFEST_BYTES)} bytes`);
  const document = parseJsonObject(bytes, reject);
  const mediaType = typeof document['mediaType'] === 'string' ? document['mediaType'] : descriptor.mediaType;
  if (document['schemaVersion'] !== 2) throw reject('its schemaVersion is not 2 (Docker schema 1 is not supported)');
  const subject = document['subject'] === undefined ? {} : { subject: readDescriptor(document['subject'], reject) };

  const isIndex = isIndexMediaType(mediaType) || (!isManifestMediaType(mediaType) && 'manifests' in document);
  if (isIndex) {
    return { kind: 'index', mediaType, manifests: readDescriptors(document['manifests'], reject), ...subject };
  }
  if (!isManifestMediaType(mediaType) && !('layers' in document)) throw reject(`unknown media type "${mediaType}"`);
  const artifactType = document['artifactType'];
  return {
    kind: 'manifest',
    mediaType,
    config: readDescriptor(document['config'], reject),
    layers: readDescriptors(document['layers'] ?? [], reject),
    ...subject,
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
  };
}

/** The media type that manifest bytes declare, or follow from their shape. Undefined for anything else. */
export function detectManifestMediaType(bytes: Uint8Array): string | undefined {
  let document: Record<string, unknown>;
  try {
    document = parseJsonObject(bytes, (why) => new DtError('DT_MANIFEST_INVALID', why));
  } catch {
    return undefined;
  }
  if (typeof document['mediaType'] === 'string') return document['mediaType'];
  if (Array.isArray(document['manifests'])) return MEDIA_TYPE_OCI_INDEX;
  if (Array.isArray(document['layers'])) return MEDIA_TYPE_OCI_MANIFEST;
  return undefined;
}

function parseJsonObject(bytes: Uint8Array, reject: (why: string) => DtError): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw reject('it is not JSON');
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw reject('it is not an object');
  return document as Record<string, unknown>;
}

function readDescriptors(value: unknown, reject: (why: string) => DtError): Descriptor[] {
  if (!Array.isArray(value)) throw reject('a list of descriptors is missing');
  if (value.length > MAX_DESCRIPTORS) throw reject(`it has more than ${String(MAX_DESCRIPTORS)} descriptors`);
  return value.map((item) => readDescriptor(item, reject));
}

function readDescriptor(value: unknown, reject: (why: string) => DtError): Descriptor {
  if (typeof value !== 'object' || value === null) throw reject('a descriptor is missing');
  const record = value as Record<string, unknown>;
  const { mediaType, size, annotations, urls, artifactType } = record;
  if (typeof mediaType !== 'string') throw reject('a descriptor has no mediaType');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw reject('a descriptor has no valid size');
  const platform = readPlatform(record['platform']);
  return {
    mediaType,
    digest: parseDigest(record['digest']),
    size,
    ...(platform === undefined ? {} : { platform }),
    ...(isStringMap(annotations) ? { annotations } : {}),
    ...(Array.isArray(urls) ? { urls: urls.filter((url) => typeof url === 'string') } : {}),
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
  };
}

function isStringMap(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item === 'string');
}
