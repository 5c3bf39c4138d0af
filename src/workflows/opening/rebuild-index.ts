import { readGraph, type Graph } from '../../content/read-graph.ts';
import { readConfigPlatform } from '../../content/read-leaves.ts';
import type { ReadableStore } from '../../content/store.ts';
import { DtError } from '../../domain/errors.ts';
import type { LockImage } from '../../domain/lock/images-lock.ts';
import type { ManifestContent } from '../../domain/oci/descriptor.ts';
import { digestOf } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { MEDIA_TYPE_DOCKER_INDEX } from '../../domain/oci/media-types.ts';
import type { Platform } from '../../domain/oci/platform.ts';
import type { RunContext } from '../context.ts';

/**
 * The graph of an image whose wrap holds platform manifests but no index, as the Go tool writes it. One manifest stands
 * for itself; several get a Docker manifest list, byte for byte the one that the Go tool would push, so that both tools
 * give a tag the same digest.
 */
export async function rebuildImageGraph(
  store: ReadableStore,
  image: LockImage,
  context: Pick<RunContext, 'concurrency' | 'signal'>,
): Promise<Graph> {
  const { concurrency, signal } = context;
  const platformGraphs: Graph[] = [];
  for (const { digest } of image.digests) {
    platformGraphs.push(await readGraph(store, await store.readManifest(digest, { signal }), { concurrency, signal }));
  }
  const [only] = platformGraphs;
  if (only === undefined) {
    throw new DtError('DT_WRAP_INCOMPLETE', `the lock names no digest for ${image.image}`);
  }
  if (platformGraphs.length === 1) return only;
  const blobs = new Map(platformGraphs.flatMap((graph) => graph.blobs.map((blob) => [blob.digest, blob])));
  const manifests = platformGraphs.map(({ root }) => root);
  return { root: await buildManifestList(store, manifests, context), manifests, blobs: [...blobs.values()] };
}

async function buildManifestList(
  store: ReadableStore,
  manifests: readonly ManifestContent[],
  context: Pick<RunContext, 'concurrency' | 'signal'>,
): Promise<ManifestContent> {
  const items = [];
  for (const content of manifests) {
    const { mediaType, size, digest } = content.descriptor;
    items.push({ mediaType, size, digest, platform: await readManifestPlatform(store, content, context) });
  }
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE_DOCKER_INDEX, manifests: items }));
  return { descriptor: { mediaType: MEDIA_TYPE_DOCKER_INDEX, digest: digestOf(bytes), size: bytes.length }, bytes };
}

async function readManifestPlatform(
  store: ReadableStore,
  content: ManifestContent,
  context: Pick<RunContext, 'concurrency' | 'signal'>,
): Promise<object> {
  const manifest = parseManifest(content);
  const platform: Platform | undefined =
    manifest.kind === 'manifest' ? await readConfigPlatform(store, manifest, context.signal) : undefined;
  if (platform === undefined) {
    throw new DtError('DT_MANIFEST_INVALID', `manifest ${content.descriptor.digest} has no platform in its config`);
  }
  const { os, architecture, variant, osVersion } = platform;
  return {
    architecture,
    os,
    ...(osVersion === undefined ? {} : { 'os.version': osVersion }),
    ...(variant === undefined ? {} : { variant }),
  };
}
