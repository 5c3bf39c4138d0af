import { packChartArchive } from '../../src/archive/chart-archive.ts';
import { loadChart } from '../../src/archive/load-chart.ts';
import type { AttachedGraph } from '../../src/content/image-content.ts';
import type { ChartOrigin } from '../../src/domain/chart/chart-origin.ts';
import { buildChartTree } from '../../src/domain/chart/chart-tree.ts';
import { formatImagesLock } from '../../src/domain/lock/format-lock.ts';
import { LOCK_GENERATED_BY } from '../../src/domain/lock/images-lock.ts';
import {
  MEDIA_TYPE_HELM_CHART,
  MEDIA_TYPE_HELM_CONFIG,
  MEDIA_TYPE_HELM_PROVENANCE,
} from '../../src/domain/oci/media-types.ts';
import type { ImageToWrap } from '../../src/workflows/wrapping/layout-writer.ts';
import type { WrapFolder } from '../../src/workflows/wrapping/wrap-folder.ts';
import type { FuzzImages } from './fuzz-images.ts';
import { chartFiles } from './hostile-wraps.ts';
import { randomBytesOf } from './images.ts';

const LARGE = 66_000;

/** A chart of this name with a packed subchart and a large file, and the lock of its images. */
export async function makeFolder(
  name: string,
  images: readonly ImageToWrap[],
  origin: OriginWithAttached = { origin: {}, attached: [] },
): Promise<WrapFolder> {
  const references = images.map(({ lockImage }) => lockImage.image);
  const subchart = entriesOf({
    'Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.0\n',
    'values.yaml': 'image: x\n',
  });
  const files = chartFiles(references, {
    'Chart.yaml': String(chartFiles(references)['Chart.yaml']).replace('name: demo', `name: ${name}`),
    'files/large.bin': randomBytesOf('large', LARGE),
    'charts/sub-0.1.0.tgz': await packChartArchive('sub', subchart, { mtimeSeconds: 0 }),
  });
  const tree = entriesOf(files);
  const { metadata } = await loadChart(tree, name);
  return {
    name: `${name}-1.2.3`,
    chart: { metadata, tree, discovery: { rendering: { state: 'skipped' }, images: [] }, ...origin },
    lockText: lockOf(name, images),
    images,
  };
}

function entriesOf(files: Readonly<Record<string, string | Uint8Array>>): ReturnType<typeof buildChartTree> {
  const entries = Object.entries(files).map(([path, content]) => ({
    path,
    type: 'file' as const,
    mode: 0o644,
    bytes: Buffer.from(content as Uint8Array),
  }));
  return buildChartTree(entries);
}

/** The text of the lock of a chart; without a name that of single images. */
export function lockOf(name: string, images: readonly ImageToWrap[]): string {
  const metadata = { generatedAt: '2024-01-01T00:00:00Z', generatedBy: LOCK_GENERATED_BY };
  const chart = name === '' ? { name: '', version: '', appVersion: '' } : { name, version: '1.2.3', appVersion: '4' };
  return formatImagesLock({ metadata, chart, images: images.map(({ lockImage }) => lockImage) });
}

interface OriginWithAttached {
  readonly origin: ChartOrigin;
  readonly attached: readonly AttachedGraph[];
}

/** What a chart from a registry came as: archive, provenance, manifest and config, and a signature of it. */
export async function makeOrigin(images: FuzzImages): Promise<OriginWithAttached> {
  const archive = await packChartArchive(
    'demo',
    entriesOf({ 'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.2.3\n' }),
    { mtimeSeconds: 0 },
  );
  const provenance = Buffer.from('files:\n  demo-1.2.3.tgz: sha256:0\n');
  const config = Buffer.from('{"name":"demo","version":"1.2.3"}');
  const layers = [
    images.addBlob(archive, MEDIA_TYPE_HELM_CHART),
    images.addBlob(provenance, MEDIA_TYPE_HELM_PROVENANCE),
  ];
  const manifest = images.addManifest(images.addBlob(config, MEDIA_TYPE_HELM_CONFIG), layers);
  const signature = images.addArtifact(manifest.digest, 'signature of the chart');
  return {
    origin: { archive, provenance, config, manifest: images.readManifest(manifest) },
    attached: [await images.attach(manifest.digest, signature, 'sig')],
  };
}
