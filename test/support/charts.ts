import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChartMetadata, ImageOptions, PushedImage } from './images.ts';
import { pushImage } from './images.ts';
import { packArchive } from './archives.ts';

/** An image of a test chart: `team/api:1.0`, without its registry. */
export interface ShopImage {
  readonly name: string;
  readonly repository: string;
  readonly tag: string;
}

/** Three images; the values name them in three usual forms. */
export const SHOP_IMAGES: readonly ShopImage[] = [
  { name: 'api', repository: 'team/api', tag: '1.0' },
  { name: 'worker', repository: 'team/worker', tag: '2.1-debian' },
  { name: 'cache', repository: 'library/cache', tag: '7' },
];

export const SHOP_METADATA = { name: 'shop', version: '1.2.3' } as const;

/** Options that give the three images layers of their own and one in common, each large enough for a place of its own. */
export function shopImageOptions(image: ShopImage, layerBytes = 100_000): ImageOptions {
  return { seed: image.name, layerBytes, sharedLayers: 1, sharedSeed: 'base' };
}

/** Pushes the images of the chart, two platforms each. */
export async function pushShopImages(host: string, layerBytes?: number): Promise<Map<string, PushedImage>> {
  const pushed = new Map<string, PushedImage>();
  for (const image of SHOP_IMAGES) {
    const reference = `${image.repository}:${image.tag}`;
    pushed.set(reference, await pushImage(host, reference, shopImageOptions(image, layerBytes)));
  }
  return pushed;
}

/** The files of a chart whose pod runs the three images from the registry `host`. */
export function shopChartFiles(host: string, version: string = SHOP_METADATA.version): Record<string, string> {
  const annotation = SHOP_IMAGES.map(
    ({ name, repository, tag }) => `    - name: ${name}\n      image: ${host}/${repository}:${tag}\n`,
  );
  return {
    'Chart.yaml': `apiVersion: v2
name: ${SHOP_METADATA.name}
version: ${version}
appVersion: "1.0"
description: A shop
annotations:
  images: |
${annotation.join('')}`,
    'values.yaml': `# Where everything comes from
api:
  image:
    registry: ${host}
    repository: team/api
    tag: "1.0"
worker:
  image:
    repository: ${host}/team/worker
    tag: 2.1-debian
cache:
  image: ${host}/library/cache:7
`,
    'templates/pod.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}
spec:
  containers:
    - name: api
      image: "{{ .Values.api.image.registry }}/{{ .Values.api.image.repository }}:{{ .Values.api.image.tag }}"
    - name: worker
      image: "{{ .Values.worker.image.repository }}:{{ .Values.worker.image.tag }}"
    - name: cache
      image: {{ .Values.cache.image }}
`,
  };
}

/** Writes the chart as a folder. */
export async function writeShopChart(folder: string, host: string): Promise<void> {
  for (const [path, text] of Object.entries(shopChartFiles(host))) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** The chart as `helm package` packs it. */
export async function packShopChart(host: string, version?: string): Promise<Buffer> {
  const files = Object.entries(shopChartFiles(host, version)).map(
    ([path, text]) => [`${SHOP_METADATA.name}/${path}`, text] as const,
  );
  return packArchive(Object.fromEntries(files));
}

export function shopMetadata(version: string = SHOP_METADATA.version): ChartMetadata {
  return { ...SHOP_METADATA, version, apiVersion: 'v2' };
}
