import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pushShopImages, shopChartFiles, writeShopChart } from './charts.ts';
import { pushImage, type ImageOptions, type PushedImage } from './images.ts';
import { startProxiedRegistry } from './proxied-registry.ts';
import { startEmbeddedRegistry } from './registries.ts';
import { startRegistryProxy, type RegistryProxy } from './registry-proxy.ts';
import type { Sandbox } from './sandbox.ts';

const LAYER_BYTES = 100_000;
/** Options of the images that the second release brings: they share a layer with all others. */
const NEW_IMAGE: ImageOptions = { layerBytes: LAYER_BYTES, sharedLayers: 1, sharedSeed: 'base' };

export interface ShopReleases {
  /** Has the charts `shop-1/` and `shop-2/`, and `v1.wrap.tgz`, in its working directory. */
  readonly sandbox: Sandbox;
  /** In front of the registry that both charts name. */
  readonly source: RegistryProxy;
  /** The images of the first release: api, worker and cache. */
  readonly old: ReadonlyMap<string, PushedImage>;
  /** What the second brings: api in a new version, and web in a repository of its own. */
  readonly added: ReadonlyMap<string, PushedImage>;
  /** The layer that all images share. */
  readonly sharedLayer: string;
}

/** Two releases of the shop's chart: the second has a new version of one image, and one image more. */
export async function prepareShopReleases(t: TestContext): Promise<ShopReleases> {
  const { sandbox, registry, proxy: source } = await startProxiedRegistry(t, startEmbeddedRegistry, startRegistryProxy);
  const old = await pushShopImages(registry.host, LAYER_BYTES);
  const added = new Map<string, PushedImage>();
  for (const reference of ['team/api:1.1', 'team/web:1.0']) {
    added.set(reference, await pushImage(registry.host, reference, { ...NEW_IMAGE, seed: reference }));
  }
  await writeShopChart(join(sandbox.work, 'shop-1'), source.host);
  await writeSecondRelease(join(sandbox.work, 'shop-2'), source.host);
  await sandbox.runOk(['wrap', 'shop-1', '--output-file', 'v1.wrap.tgz']);
  const [sharedLayer] = added.get('team/web:1.0')?.manifests[0]?.layers ?? [];
  if (sharedLayer === undefined) throw new Error('the images share no layer');
  return { sandbox, source, old, added, sharedLayer };
}

async function writeSecondRelease(folder: string, host: string): Promise<void> {
  const files = shopChartFiles(host, '1.3.0');
  const web = `${host}/team/web:1.0`;
  for (const [path, text] of Object.entries(files)) {
    const edited = text
      .replace('team/api:1.0', 'team/api:1.1')
      .replace('tag: "1.0"', 'tag: "1.1"')
      .replace('  images: |\n', `  images: |\n    - name: web\n      image: ${web}\n`)
      .replace('  containers:\n', '  containers:\n    - name: web\n      image: {{ .Values.web.image }}\n');
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), path === 'values.yaml' ? `${edited}web:\n  image: ${web}\n` : edited);
  }
}
