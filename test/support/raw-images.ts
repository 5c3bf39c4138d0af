import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_OCI_CONFIG,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../src/domain/oci/media-types.ts';
import { parsePlatform } from '../../src/domain/oci/platform.ts';
import { packArchive } from './archives.ts';
import { pushBlob, pushManifest } from './images.ts';

/** A repository that a test fills manifest by manifest. */
export interface RawRepository {
  readonly host: string;
  readonly repository: string;
}

export interface RawManifestOptions {
  /** Default: by digest only. */
  readonly tag?: string;
  /** Default: `JSON.stringify`. */
  readonly format?: (document: object) => string;
}

export interface RawImageOptions extends RawManifestOptions {
  /** Default: linux/amd64. */
  readonly platform?: string;
  /** Default: one gzip layer. */
  readonly layers?: readonly Descriptor[];
  /** Default: the config of the platform. */
  readonly config?: Descriptor;
  /** Default: that of OCI. */
  readonly mediaType?: string;
  /** Fields of the manifest besides the usual ones. */
  readonly fields?: object;
  /** Makes images differ. */
  readonly seed?: string;
}

/** Pushes a document as a manifest, and returns its descriptor. */
export async function pushRawManifest(
  { host, repository }: RawRepository,
  mediaType: string,
  document: object,
  { tag, format = JSON.stringify }: RawManifestOptions = {},
): Promise<Descriptor> {
  const bytes = Buffer.from(format(document));
  const digest = digestOf(bytes);
  await pushManifest(host, repository, digest, bytes, mediaType);
  if (tag !== undefined) await pushManifest(host, repository, tag, bytes, mediaType);
  return { mediaType, digest, size: bytes.length };
}

/** Pushes the manifest of one platform, with a config of its own and one small layer. */
export async function pushRawImage(place: RawRepository, options: RawImageOptions = {}): Promise<Descriptor> {
  const { platform = 'linux/amd64', mediaType = MEDIA_TYPE_OCI_MANIFEST, seed = '1', fields = {} } = options;
  const content = `${platform} ${seed}`;
  const layers = options.layers ?? [await pushRawLayer(place, 'gzip', content)];
  const diffIds = options.layers === undefined ? [digestOf(await packTar(content))] : [];
  const config = options.config ?? (await pushRawConfig(place, platform, seed, diffIds));
  const document = { schemaVersion: 2, mediaType, config, layers, ...fields };
  return pushRawManifest(place, mediaType, document, options);
}

/** Pushes an OCI index of these children. */
export async function pushRawIndex(
  place: RawRepository,
  manifests: readonly object[],
  options: RawManifestOptions & { readonly mediaType?: string; readonly fields?: object } = {},
): Promise<Descriptor> {
  const { mediaType = MEDIA_TYPE_OCI_INDEX, fields = {} } = options;
  return pushRawManifest(place, mediaType, { schemaVersion: 2, mediaType, manifests, ...fields }, options);
}

export async function pushRawConfig(
  { host, repository }: RawRepository,
  platform: string,
  seed = '1',
  diffIds: readonly Digest[] = [],
): Promise<Descriptor> {
  const document = {
    ...parsePlatform(platform),
    config: { Labels: { seed } },
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  return pushBlob(host, repository, Buffer.from(JSON.stringify(document)), MEDIA_TYPE_OCI_CONFIG);
}

/** Pushes a layer with one file, compressed in the way that its media type says. */
export async function pushRawLayer(
  { host, repository }: RawRepository,
  compression: 'gzip' | 'zstd' | 'none',
  content: string,
): Promise<Descriptor> {
  const tar = await packTar(content);
  const suffix = compression === 'none' ? '' : `+${compression}`;
  const bytes = compression === 'none' ? tar : compression === 'zstd' ? zstdCompressSync(tar) : gzipSync(tar);
  return pushBlob(host, repository, bytes, `application/vnd.oci.image.layer.v1.tar${suffix}`);
}

async function packTar(content: string): Promise<Buffer> {
  return gunzipSync(await packArchive({ 'data.txt': content.repeat(50) }));
}

export function sha512Of(bytes: Uint8Array): Digest {
  return `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;
}

/** Uploads a blob under its sha512 digest. */
export async function pushSha512Blob(
  { host, repository }: RawRepository,
  bytes: Buffer,
  mediaType: string,
): Promise<Descriptor> {
  const digest = sha512Of(bytes);
  const start = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(start.headers.get('location') ?? '', `http://${host}`);
  location.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const answer = await fetch(location, { method: 'PUT', body: new Uint8Array(bytes), headers });
  if (answer.status !== 201) throw new Error(`PUT of a sha512 blob: ${String(answer.status)} ${await answer.text()}`);
  return { mediaType, digest, size: bytes.length };
}
