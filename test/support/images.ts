import { createCipheriv, createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_DOCKER_INDEX,
  MEDIA_TYPE_DOCKER_MANIFEST,
  MEDIA_TYPE_HELM_CHART,
  MEDIA_TYPE_HELM_CONFIG,
  MEDIA_TYPE_HELM_PROVENANCE,
  MEDIA_TYPE_OCI_CONFIG,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_LAYER_GZIP,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../src/domain/oci/media-types.ts';
import { parsePlatform } from '../../src/domain/oci/platform.ts';

const MEDIA_TYPE_DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const MEDIA_TYPE_DOCKER_LAYER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
/** Larger layers are stored, not deflated: their content cannot be compressed anyway, and this is a hundred times faster. */
const MAX_DEFLATED_BYTES = 1024 * 1024;
const EPOCH = '2020-01-01T00:00:00Z';

export interface PushOptions {
  /** Value of the Authorization header. */
  readonly authorization?: string | undefined;
}

export interface ImageOptions extends PushOptions {
  /** Default linux/amd64 and linux/arm64. */
  readonly platforms?: readonly string[];
  /** Layers per platform. Default 2. */
  readonly layers?: number;
  /** Incompressible bytes in each layer. Default 4096. */
  readonly layerBytes?: number;
  /** Docker media types instead of those of OCI. */
  readonly docker?: boolean;
  /** Equal seeds and options give equal bytes. Default 1. */
  readonly seed?: number | string;
  /** How many of the layers all platforms have in common. Default 0. */
  readonly sharedLayers?: number;
  /** Images with equal `sharedSeed` share these layers. Default: the seed. */
  readonly sharedSeed?: number | string;
  /** Wrap a single platform in an index, too. Default: an index for two or more platforms. */
  readonly index?: boolean;
}

export interface PushedManifest {
  readonly platform: string;
  readonly digest: Digest;
  readonly config: Digest;
  readonly layers: readonly Digest[];
}

export interface PushedImage {
  /** What the tag points to. */
  readonly digest: Digest;
  readonly indexDigest: Digest | undefined;
  readonly manifests: readonly PushedManifest[];
  /** Configs and layers, each once. */
  readonly blobs: readonly Digest[];
  /** Sum of the sizes of these blobs. */
  readonly totalBytes: number;
}

/** Pushes a synthetic image with real gzip-compressed tar layers as `repository:tag` to a registry over plain HTTP. */
export async function pushImage(host: string, reference: string, options: ImageOptions = {}): Promise<PushedImage> {
  const { platforms = ['linux/amd64', 'linux/arm64'], layers = 2, layerBytes = 4096, docker = false } = options;
  const { seed = 1, sharedLayers = 0, sharedSeed = seed, index = platforms.length > 1 } = options;
  const { repository, tag } = splitReference(reference);
  const manifestType = docker ? MEDIA_TYPE_DOCKER_MANIFEST : MEDIA_TYPE_OCI_MANIFEST;
  const layerType = docker ? MEDIA_TYPE_DOCKER_LAYER_GZIP : MEDIA_TYPE_OCI_LAYER_GZIP;
  const configType = docker ? MEDIA_TYPE_DOCKER_CONFIG : MEDIA_TYPE_OCI_CONFIG;

  const sizes = new Map<Digest, number>();
  const layerCache = new Map<string, { descriptor: Descriptor; diffId: Digest }>();
  const pushLayer = async (layerSeed: string): Promise<{ descriptor: Descriptor; diffId: Digest }> => {
    const known = layerCache.get(layerSeed);
    if (known !== undefined) return known;
    const layer = await createLayer(layerSeed, layerBytes);
    const descriptor = await pushBlob(host, repository, layer.bytes, layerType, options);
    const entry = { descriptor, diffId: layer.diffId };
    layerCache.set(layerSeed, entry);
    return entry;
  };

  const manifests: PushedManifest[] = [];
  const children: Descriptor[] = [];
  for (const platformText of platforms) {
    const platform = parsePlatform(platformText);
    const pushed = [];
    for (let i = 0; i < layers; i += 1) {
      const name = i < sharedLayers ? `${String(sharedSeed)}/shared` : `${String(seed)}/${platformText}`;
      pushed.push(await pushLayer(`${name}/${String(i)}`));
    }
    const configBytes = encodeJson({
      created: EPOCH,
      ...platform,
      config: { Env: ['PATH=/bin'], Labels: { seed: String(seed) } },
      rootfs: { type: 'layers', diff_ids: pushed.map(({ diffId }) => diffId) },
      history: pushed.map((_, i) => ({ created: EPOCH, created_by: `layer ${String(i)}` })),
    });
    const config = await pushBlob(host, repository, configBytes, configType, options);
    const layerDescriptors = pushed.map(({ descriptor }) => descriptor);
    for (const { digest, size } of [config, ...layerDescriptors]) sizes.set(digest, size);
    const bytes = encodeJson({ schemaVersion: 2, mediaType: manifestType, config, layers: layerDescriptors });
    const digest = await pushManifest(host, repository, index ? digestOf(bytes) : tag, bytes, manifestType, options);
    children.push({ mediaType: manifestType, digest, size: bytes.length, platform });
    manifests.push({
      platform: platformText,
      digest,
      config: config.digest,
      layers: layerDescriptors.map((layer) => layer.digest),
    });
  }

  let indexDigest: Digest | undefined;
  if (index) {
    const mediaType = docker ? MEDIA_TYPE_DOCKER_INDEX : MEDIA_TYPE_OCI_INDEX;
    const bytes = encodeJson({ schemaVersion: 2, mediaType, manifests: children });
    indexDigest = await pushManifest(host, repository, tag, bytes, mediaType, options);
  }
  const digest = indexDigest ?? manifests[0]?.digest;
  if (digest === undefined) throw new Error('an image needs at least one platform');
  const totalBytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { digest, indexDigest, manifests, blobs: [...sizes.keys()], totalBytes };
}

export interface ChartMetadata {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly [field: string]: unknown;
}

/** Pushes a chart archive to `PREFIX/NAME` with the version as tag, in the form that `helm push` gives it. */
export async function pushChart(
  host: string,
  prefix: string,
  metadata: ChartMetadata,
  chartBytes: Uint8Array,
  options: PushOptions & { readonly provenanceBytes?: Uint8Array } = {},
): Promise<{ readonly reference: string; readonly digest: Digest; readonly layers: readonly Digest[] }> {
  const repository = prefix === '' ? metadata.name : `${prefix}/${metadata.name}`;
  const tag = metadata.version.replaceAll('+', '_');
  const config = await pushBlob(host, repository, encodeJson(metadata), MEDIA_TYPE_HELM_CONFIG, options);
  const layers = [await pushBlob(host, repository, chartBytes, MEDIA_TYPE_HELM_CHART, options)];
  if (options.provenanceBytes !== undefined) {
    layers.push(await pushBlob(host, repository, options.provenanceBytes, MEDIA_TYPE_HELM_PROVENANCE, options));
  }
  const annotations = {
    ...(metadata.description === undefined ? {} : { 'org.opencontainers.image.description': metadata.description }),
    'org.opencontainers.image.title': metadata.name,
    'org.opencontainers.image.version': metadata.version,
  };
  const bytes = encodeJson({ schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_MANIFEST, config, layers, annotations });
  const digest = await pushManifest(host, repository, tag, bytes, MEDIA_TYPE_OCI_MANIFEST, options);
  return { reference: `${host}/${repository}:${tag}`, digest, layers: layers.map((layer) => layer.digest) };
}

/** Pushes a blob unless it is there, and returns its descriptor. */
export async function pushBlob(
  host: string,
  repository: string,
  bytes: Uint8Array,
  mediaType: string,
  options: PushOptions = {},
): Promise<Descriptor> {
  const base = `http://${host}`;
  const digest = digestOf(bytes);
  const head = await send(`${base}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' }, options, [200, 404]);
  if (head.status === 404) {
    const start = await send(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST' }, options, [202]);
    const location = new URL(start.headers.get('location') ?? '', base);
    location.searchParams.set('digest', digest);
    const headers = { 'Content-Type': 'application/octet-stream' };
    await send(location.href, { method: 'PUT', body: Buffer.from(bytes), headers }, options, [201]);
  }
  return { mediaType, digest, size: bytes.length };
}

/** Pushes manifest bytes as they are, and returns their digest. */
export async function pushManifest(
  host: string,
  repository: string,
  tagOrDigest: string,
  bytes: Uint8Array,
  mediaType: string,
  options: PushOptions = {},
): Promise<Digest> {
  const url = `http://${host}/v2/${repository}/manifests/${tagOrDigest}`;
  const headers = { 'Content-Type': mediaType };
  await send(url, { method: 'PUT', body: Buffer.from(bytes), headers }, options, [201]);
  return digestOf(bytes);
}

/** Bytes that no compressor makes smaller, the same for the same seed. */
export function randomBytesOf(seed: string, sizeBytes: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

export function basicAuthorization(credentials: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

async function createLayer(seed: string, sizeBytes: number): Promise<{ bytes: Buffer; diffId: Digest }> {
  const archive = pack();
  const name = `data/${createHash('sha256').update(seed).digest('hex').slice(0, 16)}.bin`;
  archive.entry({ name, mtime: new Date(0), uid: 0, gid: 0 }, randomBytesOf(seed, sizeBytes));
  archive.finalize();
  const tar = await buffer(archive);
  const bytes = gzipSync(tar, { level: tar.length > MAX_DEFLATED_BYTES ? 0 : 6 });
  return { bytes, diffId: digestOf(tar) };
}

async function send(
  url: string,
  init: RequestInit,
  options: PushOptions,
  expected: readonly number[],
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (options.authorization !== undefined) headers.set('Authorization', options.authorization);
  const response = await fetch(url, { ...init, headers });
  const text = await response.text();
  if (!expected.includes(response.status)) {
    throw new Error(`${init.method ?? 'GET'} ${url}: ${String(response.status)} ${text.slice(0, 500)}`);
  }
  return response;
}

function splitReference(reference: string): { repository: string; tag: string } {
  const colon = reference.lastIndexOf(':');
  if (colon === -1) throw new Error(`"${reference}" is not of the form REPOSITORY:TAG`);
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

function encodeJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
