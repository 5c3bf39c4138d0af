import { Readable } from 'node:stream';
import { packChartArchive } from '../archive/chart-archive.ts';
import type { RegistryStore } from '../content/registry-store.ts';
import { formatChartConfig } from '../domain/chart/chart-config.ts';
import { chartManifestAnnotations, chartTag, formatChartManifest } from '../domain/chart/chart-manifest.ts';
import type { ChartMetadata } from '../domain/chart/chart-metadata.ts';
import type { ChartTree } from '../domain/chart/chart-tree.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { digestOf } from '../domain/oci/digest.ts';
import { MEDIA_TYPE_HELM_CHART, MEDIA_TYPE_HELM_CONFIG, MEDIA_TYPE_OCI_MANIFEST } from '../domain/oci/media-types.ts';
import type { RunContext } from './context.ts';
import { readSourceDateSeconds } from './source-date.ts';

export interface ChartToPush {
  readonly metadata: ChartMetadata;
  readonly tree: ChartTree;
  /** Goes into the annotation `created`: an unchanged chart keeps its digest when it is pushed again. */
  readonly createdAt: Date;
}

/** A chart in the form in which `helm push` puts it into a registry. */
export interface PackedChart {
  readonly version: string;
  readonly manifest: ManifestContent;
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[];
}

/** Packs a chart: the same chart gives the same bytes. */
export async function packChart({ metadata, tree, createdAt }: ChartToPush, context: RunContext): Promise<PackedChart> {
  const archive = await packChartArchive(metadata.name, tree, {
    mtimeSeconds: readSourceDateSeconds(context.environment) ?? 0,
  });
  const configBytes = Buffer.from(formatChartConfig(metadata));
  const config = describe(MEDIA_TYPE_HELM_CONFIG, configBytes);
  const layer = describe(MEDIA_TYPE_HELM_CHART, archive);
  const annotations = chartManifestAnnotations(metadata, createdAt.toISOString().replace(/\.[0-9]+Z$/, 'Z'));
  const bytes = formatChartManifest({ config, chart: layer, annotations });
  return {
    version: metadata.version,
    manifest: { descriptor: describe(MEDIA_TYPE_OCI_MANIFEST, bytes), bytes },
    blobs: [
      { descriptor: config, bytes: configBytes },
      { descriptor: layer, bytes: archive },
    ],
  };
}

/** Pushes a packed chart. Blobs that are there already are not sent again. */
export async function pushChart(chart: PackedChart, store: RegistryStore, signal: AbortSignal): Promise<void> {
  await Promise.all(
    chart.blobs.map(async ({ descriptor, bytes }) =>
      store.writeBlob(descriptor, () => Promise.resolve(Readable.from([bytes], { objectMode: false })), { signal }),
    ),
  );
  await store.writeManifest(chart.manifest, [chartTag(chart.version)], signal);
}

function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
