import { MAX_CHART_CONFIG_BYTES, MAX_PROVENANCE_BYTES, type PackagedOrigin } from '../../domain/chart/chart-origin.ts';
import { readBlobBytes } from '../../content/read-blob-bytes.ts';
import { MAX_CHART_BYTES } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { MEDIA_TYPE_HELM_CHART, MEDIA_TYPE_HELM_PROVENANCE } from '../../domain/oci/media-types.ts';
import type { RunContext } from '../context.ts';
import { readProvenance } from './read-provenance.ts';
import { readOciVersion } from './read-oci-version.ts';

/**
 * A chart in a registry, with the manifest, the config blob and the provenance that it has there. A provenance that cannot
 * be read is a warning. https://helm.sh/docs/topics/registries/
 */
export async function downloadOciChart(
  location: string,
  version: string | undefined,
  context: RunContext,
): Promise<PackagedOrigin> {
  const { signal } = context;
  const { reference, store, content } = await readOciVersion(location, version, context);
  const manifest = parseManifest(content);
  const layers = manifest.kind === 'manifest' ? manifest.layers : [];
  const chart = layers.find(({ mediaType }) => mediaType === MEDIA_TYPE_HELM_CHART);
  if (manifest.kind !== 'manifest' || chart === undefined) {
    throw new DtError('DT_CHART_INVALID', `${location} is not a Helm chart`, {
      detail: 'Its manifest has no layer with the archive of a chart.',
    });
  }
  const read = async (blob: Descriptor, what: string, limitBytes: number): Promise<Buffer> => {
    if (blob.size <= limitBytes) return readBlobBytes(store, blob, { signal });
    throw new DtError('DT_CHART_TOO_LARGE', `${what} ${location} is larger than ${String(limitBytes)} bytes`);
  };
  const archive = await read(chart, 'the chart', MAX_CHART_BYTES);
  const config = await read(manifest.config, 'the config blob of', MAX_CHART_CONFIG_BYTES);
  const signed = layers.find(({ mediaType }) => mediaType === MEDIA_TYPE_HELM_PROVENANCE);
  const provenance =
    signed === undefined
      ? undefined
      : await readProvenance(location, async () => read(signed, 'that of', MAX_PROVENANCE_BYTES), context);
  return {
    archive,
    config,
    manifest: content,
    repository: { registry: reference.registry, repository: reference.repository, digest: content.descriptor.digest },
    ...(provenance === undefined ? {} : { provenance }),
  };
}
