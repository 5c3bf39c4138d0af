import type { RegistryStore } from '../../content/registry-store.ts';
import { writeBytes } from '../../content/write-bytes.ts';
import { chartTag } from '../../domain/chart/chart-manifest.ts';
import { describeEmptyConfig, EMPTY_CONFIG } from '../../domain/oci/artifact-manifest.ts';
import type { Descriptor, ManifestContent } from '../../domain/oci/descriptor.ts';
import { digestOf } from '../../domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_MANIFEST } from '../../domain/oci/media-types.ts';
import type { PackedChart } from './pack-chart.ts';

/** A values file that goes with a chart: no registered type exists. */
const ARTIFACT_TYPE_VALUES = 'application/vnd.helm.dt.values.v1+yaml';

/** Pushes a packed chart. Blobs that are there already are not sent again. */
export async function pushChart(chart: PackedChart, store: RegistryStore, signal: AbortSignal): Promise<void> {
  await Promise.all(chart.blobs.map(async ({ descriptor, bytes }) => writeBytes(store, descriptor, bytes, signal)));
  await store.writeManifest(chart.manifest, [chartTag(chart.version)], signal);
}

/** Pushes a values file as a referrer of a chart and returns the descriptor of its manifest. */
export async function pushValuesReferrer(
  text: string,
  { manifest, fileName }: { readonly manifest: ManifestContent; readonly fileName: string },
  store: RegistryStore,
  signal: AbortSignal,
): Promise<Descriptor> {
  const values = Buffer.from(text);
  const config = describeEmptyConfig();
  const layer = {
    ...describe(ARTIFACT_TYPE_VALUES, values),
    annotations: { 'org.opencontainers.image.title': fileName },
  };
  const { mediaType, digest, size } = manifest.descriptor;
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE_OCI_MANIFEST,
      artifactType: ARTIFACT_TYPE_VALUES,
      config,
      layers: [layer],
      subject: { mediaType, digest, size },
    }),
  );
  const descriptor = describe(MEDIA_TYPE_OCI_MANIFEST, bytes);
  await writeBytes(store, config, EMPTY_CONFIG, signal);
  await writeBytes(store, layer, values, signal);
  await store.writeManifest({ descriptor, bytes }, [], signal);
  return descriptor;
}

function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
