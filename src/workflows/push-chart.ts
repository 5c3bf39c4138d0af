import { Readable } from 'node:stream';
import { packChartArchive } from '../archive/chart-archive.ts';
import { findTag } from '../content/copy-graph.ts';
import type { RegistryStore } from '../content/registry-store.ts';
import { formatChartConfig } from '../domain/chart/chart-config.ts';
import { chartManifestAnnotations, chartTag, formatChartManifest } from '../domain/chart/chart-manifest.ts';
import type { ChartMetadata } from '../domain/chart/chart-metadata.ts';
import type { ChartTree } from '../domain/chart/chart-tree.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../domain/oci/digest.ts';
import { MEDIA_TYPE_HELM_CHART, MEDIA_TYPE_HELM_CONFIG, MEDIA_TYPE_OCI_MANIFEST } from '../domain/oci/media-types.ts';
import type { RunContext } from './context.ts';
import { readSourceDateSeconds } from './source-date.ts';

export interface ChartToPush {
  readonly metadata: ChartMetadata;
  readonly tree: ChartTree;
  /** Goes into the annotation `created`: an unchanged chart keeps its digest when it is pushed again. */
  readonly createdAt: Date;
}

/** Pushes a chart as `helm push` does and returns the digest of its manifest. What is there already is not sent again. */
export async function pushChart(chart: ChartToPush, store: RegistryStore, context: RunContext): Promise<Digest> {
  const { metadata, tree, createdAt } = chart;
  const archive = await packChartArchive(metadata.name, tree, {
    mtimeSeconds: readSourceDateSeconds(context.environment) ?? 0,
  });
  const configBytes = Buffer.from(formatChartConfig(metadata));
  const config = describe(MEDIA_TYPE_HELM_CONFIG, configBytes);
  const layer = describe(MEDIA_TYPE_HELM_CHART, archive);
  const annotations = chartManifestAnnotations(metadata, createdAt.toISOString().replace(/\.[0-9]+Z$/, 'Z'));
  const bytes = formatChartManifest({ config, chart: layer, annotations });
  const descriptor = describe(MEDIA_TYPE_OCI_MANIFEST, bytes);
  const tag = chartTag(metadata.version);
  const { signal } = context;
  if ((await findTag(store, tag, signal)) === descriptor.digest) return descriptor.digest;
  await Promise.all([
    store.writeBlob(config, () => Promise.resolve(Readable.from([configBytes], { objectMode: false })), { signal }),
    store.writeBlob(layer, () => Promise.resolve(Readable.from([archive], { objectMode: false })), { signal }),
  ]);
  await store.writeManifest({ descriptor, bytes }, [tag], signal);
  return descriptor.digest;
}

function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
