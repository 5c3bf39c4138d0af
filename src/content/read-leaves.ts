import { DtError } from '../domain/errors.ts';
import type { IndexLeaf } from '../domain/lock/lock-platforms.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import {
  isAttestation,
  MAX_MANIFEST_BYTES,
  parseManifest,
  type ImageIndex,
  type ImageManifest,
} from '../domain/oci/manifest.ts';
import { isIndexMediaType, isManifestMediaType } from '../domain/oci/media-types.ts';
import { readPlatform, type Platform } from '../domain/oci/platform.ts';
import { mapConcurrently, type ConcurrencyOptions } from './map-concurrently.ts';
import { readBlobBytes } from './read-blob-bytes.ts';
import { MAX_INDEX_DEPTH } from './read-graph.ts';
import { retryMismatch } from './retry-mismatch.ts';
import type { ReadableStore } from './store.ts';

/** Leaves of an index with all indexes below it. */
const MAX_LEAVES = 20_000;
/** Inner indexes, one that stands in several places as often: a few that name each other many times lead to millions. */
const MAX_INNER_INDEXES = 1_000;

/**
 * The manifests that an index leads to, those of indexes in it in their place. Only inner indexes are read, and the configs of
 * manifests of which the index does not tell the platform. Throws DT_MANIFEST_INVALID, DT_LIMIT_EXCEEDED, and what the store throws.
 */
export async function readLeaves(
  store: ReadableStore,
  index: ImageIndex,
  options: ConcurrencyOptions,
): Promise<IndexLeaf[]> {
  let innerIndexes = 0;
  const visit = async (parent: ImageIndex, indexes: readonly Digest[], inherited?: Platform): Promise<IndexLeaf[]> => {
    if (indexes.length > MAX_INDEX_DEPTH) {
      throw new DtError(
        'DT_MANIFEST_INVALID',
        `index ${indexes[0] ?? ''} is nested deeper than ${String(MAX_INDEX_DEPTH)}`,
      );
    }
    const lists = await mapConcurrently(parent.manifests, options, async (child, signal): Promise<IndexLeaf[]> => {
      const known = child.platform ?? inherited;
      if (!isIndexMediaType(child.mediaType)) {
        return [{ descriptor: child, platform: known ?? (await readMissingPlatform(store, child, signal)), indexes }];
      }
      innerIndexes++;
      if (innerIndexes > MAX_INNER_INDEXES) {
        throw new DtError('DT_LIMIT_EXCEEDED', `an index leads to more than ${String(MAX_INNER_INDEXES)} indexes`);
      }
      const inner = parseManifest(await readChild(store, child, signal));
      return inner.kind === 'index' ? visit(inner, [...indexes, child.digest], known) : [];
    });
    const leaves = lists.flat();
    if (leaves.length > MAX_LEAVES) {
      throw new DtError('DT_LIMIT_EXCEEDED', `an index leads to more than ${String(MAX_LEAVES)} manifests`);
    }
    return leaves;
  };
  return visit(index, []);
}

async function readMissingPlatform(
  store: ReadableStore,
  child: Descriptor,
  signal: AbortSignal,
): Promise<Platform | undefined> {
  if (isAttestation(child) || !isManifestMediaType(child.mediaType)) return undefined;
  const manifest = parseManifest(await readChild(store, child, signal));
  return manifest.kind === 'manifest' ? readConfigPlatform(store, manifest, signal) : undefined;
}

async function readChild(store: ReadableStore, child: Descriptor, signal: AbortSignal): Promise<ManifestContent> {
  return retryMismatch(store, async (bypassesCaches) => store.readManifest(child.digest, { signal, bypassesCaches }));
}

/**
 * The platform that the config of an image names; undefined for an artifact, whose config is something else.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export async function readConfigPlatform(
  store: ReadableStore,
  manifest: ImageManifest,
  signal: AbortSignal,
): Promise<Platform | undefined> {
  const { config } = manifest;
  if (config.size > MAX_MANIFEST_BYTES) return undefined;
  const bytes = await readBlobBytes(store, config, { signal });
  try {
    return readPlatform(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}
