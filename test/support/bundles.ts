import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BUNDLE_LABEL } from '../../src/domain/carvel/bundle-image.ts';
import type { Digest } from '../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_DOCKER_CONFIG,
  MEDIA_TYPE_DOCKER_LAYER_GZIP,
  MEDIA_TYPE_DOCKER_MANIFEST,
} from '../../src/domain/oci/media-types.ts';
import { makeTar, type HostileEntry } from '../security/hostile-tar.ts';
import { pushBlob } from './images.ts';
import { pushRawManifest } from './raw-images.ts';

/** The text of an ImagesLock. */
export function bundleLock(images: readonly string[]): string {
  const list = images.map((image) => `- image: ${image}\n`).join('');
  return `---\napiVersion: imgpkg.carvel.dev/v1alpha1\nimages:\n${list}kind: ImagesLock\n`;
}

/** Writes the folder of a bundle that names these images. */
export async function writeBundle(
  folder: string,
  images: readonly string[],
  files: Readonly<Record<string, string>> = { 'config/app.yml': 'a: 1\n' },
): Promise<void> {
  const all = { '.imgpkg/images.yml': bundleLock(images), ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Pushes a bundle whose layer has these entries, however bad they are, behind the lock of a bundle. */
export async function pushHostileBundle(host: string, name: string, entries: readonly HostileEntry[]): Promise<Digest> {
  const lock = { name: '.imgpkg/images.yml', content: bundleLock([]) };
  return pushBundleLayer(host, name, gzipSync(await makeTar([lock, ...entries])));
}

/** Pushes an image with the label of a bundle and this layer, as `NAME:1`. */
export async function pushBundleLayer(host: string, name: string, bytes: Buffer): Promise<Digest> {
  const layer = await pushBlob(host, name, bytes, MEDIA_TYPE_DOCKER_LAYER_GZIP);
  const document = { architecture: '', os: '', config: { Labels: { [BUNDLE_LABEL]: 'true' } } };
  const config = await pushBlob(host, name, Buffer.from(JSON.stringify(document)), MEDIA_TYPE_DOCKER_CONFIG);
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE_DOCKER_MANIFEST, config, layers: [layer] };
  const { digest } = await pushRawManifest({ host, repository: name }, MEDIA_TYPE_DOCKER_MANIFEST, manifest, {
    tag: '1',
  });
  return digest;
}
