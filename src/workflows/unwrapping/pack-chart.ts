import { packChartArchive } from '../../archive/chart-archive.ts';
import { formatChartConfig } from '../../domain/chart/chart-config.ts';
import { chartManifestAnnotations, formatChartManifest } from '../../domain/chart/chart-manifest.ts';
import type { ChartMetadata } from '../../domain/chart/chart-metadata.ts';
import type { ChartOrigin } from '../../domain/chart/chart-origin.ts';
import type { ChartTree } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../../domain/oci/descriptor.ts';
import { digestOf, matchesDigest } from '../../domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../../domain/oci/manifest.ts';
import {
  MEDIA_TYPE_HELM_CHART,
  MEDIA_TYPE_HELM_CONFIG,
  MEDIA_TYPE_HELM_PROVENANCE,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../domain/oci/media-types.ts';
import type { RunContext } from '../context.ts';
import { readSourceDateSeconds } from '../source-date.ts';

export interface ChartToPack {
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
export async function packChart(chart: ChartToPack, context: RunContext): Promise<PackedChart> {
  const archive = await packChartArchive(chart.metadata.name, chart.tree, {
    mtimeSeconds: readSourceDateSeconds(context.environment) ?? 0,
  });
  return describePackage(chart, archive, undefined);
}

/**
 * The chart exactly as it came: with the manifest of its registry if it has one, else with one as `helm push` writes it around the
 * untouched archive and its provenance. Packs a chart that was a folder. Throws DT_WRAP_INCOMPLETE if a layer of the manifest is not there.
 */
export async function packUntouched(
  chart: ChartToPack,
  { archive, provenance, manifest, config }: ChartOrigin,
  context: RunContext,
): Promise<PackedChart> {
  if (archive === undefined) return packChart(chart, context);
  if (manifest === undefined) return describePackage(chart, archive, provenance);
  const files = [archive, provenance, config].filter((bytes) => bytes !== undefined);
  const blobs = manifestSuccessors(parseManifest(manifest)).map((descriptor) => {
    const bytes = files.find((candidate) => matchesDigest(candidate, descriptor.digest));
    if (bytes !== undefined) return { descriptor, bytes };
    throw new DtError(
      'DT_WRAP_INCOMPLETE',
      `the chart ${chart.metadata.name} has the blob ${descriptor.digest}, which is not in the wrap`,
    );
  });
  return { version: chart.metadata.version, manifest, blobs };
}

function describePackage(
  { metadata, createdAt }: ChartToPack,
  archive: Uint8Array,
  provenanceBytes: Uint8Array | undefined,
): PackedChart {
  const configBytes = Buffer.from(formatChartConfig(metadata));
  const config = describe(MEDIA_TYPE_HELM_CONFIG, configBytes);
  const chart = describe(MEDIA_TYPE_HELM_CHART, archive);
  const provenance = provenanceBytes && describe(MEDIA_TYPE_HELM_PROVENANCE, provenanceBytes);
  const annotations = chartManifestAnnotations(metadata, createdAt.toISOString().replace(/\.[0-9]+Z$/, 'Z'));
  const bytes = formatChartManifest({ config, chart, provenance, annotations });
  return {
    version: metadata.version,
    manifest: { descriptor: describe(MEDIA_TYPE_OCI_MANIFEST, bytes), bytes },
    blobs: [
      { descriptor: config, bytes: configBytes },
      { descriptor: chart, bytes: archive },
      ...(provenance === undefined || provenanceBytes === undefined
        ? []
        : [{ descriptor: provenance, bytes: provenanceBytes }]),
    ],
  };
}

function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
