import { DtError } from '../errors.ts';
import { appendToManifests } from './append-to-manifests.ts';
import type { Descriptor, ManifestContent } from './descriptor.ts';
import { digestOf, isDigest, type Digest } from './digest.ts';
import { MAX_MANIFEST_BYTES } from './manifest.ts';
import { MEDIA_TYPE_OCI_INDEX } from './media-types.ts';

/** A list of referrers, read far enough to add to it. */
export interface ReferrersIndex {
  /** Its JSON as it came, without a byte order mark. */
  readonly text: string;
  /** The entries of its list in their order, whatever they are. */
  readonly entries: readonly unknown[];
}

/** What a manifest says that it is attached to; undefined if it says nothing that could be a digest. */
export function findSubject(bytes: Uint8Array): Digest | undefined {
  const subject = readObject(parseJson(bytes)?.document)?.['subject'];
  const digest = readObject(subject)?.['digest'];
  return typeof digest === 'string' && isDigest(digest) ? digest : undefined;
}

/**
 * The entry of a manifest in a list of referrers: type, digest and size with its own artifact type (else that of its config)
 * and its annotations. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export function describeReferrer({ descriptor, bytes }: ManifestContent): Descriptor {
  const { mediaType, digest, size } = descriptor;
  const document = readObject(parseJson(bytes)?.document);
  const artifactType = [document?.['artifactType'], readObject(document?.['config'])?.['mediaType']].find(
    (value): value is string => typeof value === 'string' && value !== '',
  );
  const annotations = document?.['annotations'];
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(isStringRecord(annotations) ? { annotations } : {}),
  };
}

/**
 * Reads an OCI index of any entries, or returns undefined for everything else. A list that is `null` is empty, as some registries
 * write it so. `mediaType` is what came with the bytes; it counts only where they do not name their type themselves.
 */
export function readReferrersIndex(bytes: Uint8Array, mediaType: string): ReferrersIndex | undefined {
  const parsed = parseJson(bytes);
  const document = readObject(parsed?.document);
  if (parsed === undefined || document === undefined) return undefined;
  const { mediaType: ownType = mediaType, schemaVersion, manifests } = document;
  if (ownType !== MEDIA_TYPE_OCI_INDEX || schemaVersion !== 2) return undefined;
  if (manifests === null) return { text: parsed.text, entries: [] };
  return Array.isArray(manifests) ? { text: parsed.text, entries: manifests } : undefined;
}

/** The digest of an entry, or undefined if it has none that is known here. */
export function entryDigest(entry: unknown): Digest | undefined {
  const digest = readObject(entry)?.['digest'];
  return typeof digest === 'string' && isDigest(digest) ? digest : undefined;
}

/** The digests of the entries, in their order. Throws DT_MANIFEST_INVALID for an entry without one: it cannot be followed. */
export function listEntryDigests({ entries }: ReferrersIndex, name: string): Digest[] {
  return entries.map((entry) => {
    const digest = entryDigest(entry);
    if (digest === undefined) throw new DtError('DT_MANIFEST_INVALID', `${name} has an entry without a valid digest`);
    return digest;
  });
}

/**
 * The index with the entries that it lacks behind those that it has, of which every byte stays; a new index without `present`.
 * Undefined if it lacks none: then nothing has to be written. Throws DT_REGISTRY_ERROR if it would get larger than any registry
 * has to take. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
export function addReferrers(
  present: ReferrersIndex | undefined,
  wanted: ReadonlyMap<Digest, unknown>,
): ManifestContent | undefined {
  const there = new Set(present?.entries.map(entryDigest));
  const missing = [...wanted].filter(([digest]) => !there.has(digest)).map(([, entry]) => entry);
  if (missing.length === 0) return undefined;
  const text = present?.text ?? JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests: [] });
  const bytes = Buffer.from(appendToManifests(text, missing));
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new DtError(
      'DT_REGISTRY_ERROR',
      `the list of what is attached would be larger than ${String(MAX_MANIFEST_BYTES)} bytes`,
    );
  }
  return { descriptor: { mediaType: MEDIA_TYPE_OCI_INDEX, digest: digestOf(bytes), size: bytes.length }, bytes };
}

function parseJson(bytes: Uint8Array): { readonly text: string; readonly document: unknown } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { text, document: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function readObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function isStringRecord(value: unknown): value is Record<string, string> {
  const record = readObject(value);
  return record !== undefined && Object.values(record).every((item) => typeof item === 'string');
}
