import { buffer } from 'node:stream/consumers';
import { measureLayer, openLayer, type LayerFile } from '../../archive/bundle-layer.ts';
import { MemoryStore } from '../../content/memory-store.ts';
import type { Graph } from '../../content/read-graph.ts';
import { Readable } from 'node:stream';
import { buildBundleImage } from '../../domain/carvel/bundle-image.ts';
import { formatImageLocations, LOCATIONS_PATH, type ImageLocation } from '../../domain/carvel/image-locations.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** An image that is not in any registry yet. */
export interface SmallImage {
  readonly store: MemoryStore;
  readonly graph: Graph;
}

/** The image that tells where the images of a bundle are. */
export async function buildLocationsImage(locations: readonly ImageLocation[]): Promise<SmallImage> {
  const bytes = Buffer.from(formatImageLocations(locations));
  const files: readonly LayerFile[] = [
    { path: '.', type: 'directory', mode: FOLDER_MODE, sizeBytes: 0, bytes: Buffer.alloc(0) },
    { path: LOCATIONS_PATH, type: 'file', mode: FILE_MODE, sizeBytes: bytes.length, bytes },
  ];
  const { manifest, config, layer } = buildBundleImage(await measureLayer(files), {});
  const store = new MemoryStore({ name: 'the list of places' });
  await store.writeBlob(layer, async () => Readable.from([await buffer(openLayer(files))], { objectMode: false }));
  store.blobs.set(config.descriptor.digest, config.bytes);
  await store.writeManifest(manifest);
  return { store, graph: { root: manifest, manifests: [], blobs: [config.descriptor, layer] } };
}
