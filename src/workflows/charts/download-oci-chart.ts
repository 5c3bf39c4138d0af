import { MAX_CHART_CONFIG_BYTES, MAX_PROVENANCE_BYTES, type PackagedOrigin } from '../../domain/chart/chart-origin.ts';
import { readBlobBytes } from '../../content/read-blob-bytes.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import { retryMismatch } from '../../content/retry-mismatch.ts';
import { chartTag } from '../../domain/chart/chart-manifest.ts';
import { MAX_CHART_BYTES } from '../../domain/chart/chart-tree.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { MEDIA_TYPE_HELM_CHART, MEDIA_TYPE_HELM_PROVENANCE } from '../../domain/oci/media-types.ts';
import { isDigest } from '../../domain/oci/digest.ts';
import { trimOciScheme } from '../../domain/oci/oci-scheme.ts';
import { isTag, parseReference, type Reference } from '../../domain/oci/reference.ts';
import { selectChartVersion } from '../../domain/version/select-version.ts';
import type { RunContext } from '../context.ts';
import { readProvenance } from './read-provenance.ts';
import { openRepository } from '../registry-stores.ts';

/** Tags that a message names. */
const MAX_NAMED_TAGS = 10;

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
  const reference = parseChartReference(location, version);
  const store = openRepository(context, reference);
  const identifier = reference.digest ?? (await chooseTag(store, version ?? reference.tag, location, context));
  const content = await retryMismatch(store, async (bypassesCaches) =>
    store.readManifest(identifier, { signal, bypassesCaches }),
  );
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

function parseChartReference(location: string, version: string | undefined): Reference {
  const reference = parseReference(trimOciScheme(location).replace(/\/+$/, ''));
  if (version !== undefined && reference.tag !== undefined && chartTag(version) !== reference.tag) {
    throw new DtError('DT_USAGE', `${location} names the version ${reference.tag}, --version names ${version}`);
  }
  return reference;
}

/** An exact version is tried as a tag before the list of tags is asked for: some registries do not give one. */
async function chooseTag(
  store: RegistryStore,
  wanted: string | undefined,
  location: string,
  context: RunContext,
): Promise<string> {
  const tag = wanted === undefined ? undefined : chartTag(wanted);
  if (tag !== undefined && isTag(tag) && (await hasTag(store, tag, context))) return tag;
  const tags = await store.listTags(context.signal);
  const version = selectChartVersion(
    tags.filter((candidate) => !isDigest(candidate)).map((candidate) => candidate.replaceAll('_', '+')),
    wanted,
  );
  if (version !== undefined) return chartTag(version);
  throw new DtError(
    'DT_CHART_VERSION_NOT_FOUND',
    `${location} has no version${wanted === undefined ? '' : ` that matches ${wanted}`}`,
    {
      detail:
        tags.length === 0
          ? 'It has no tags.'
          : `It has ${tags.slice(-MAX_NAMED_TAGS).join(', ')}${tags.length > MAX_NAMED_TAGS ? ', …' : ''}.`,
    },
  );
}

async function hasTag(store: RegistryStore, tag: string, context: RunContext): Promise<boolean> {
  try {
    await store.resolve(tag, context.signal);
    return true;
  } catch (error) {
    if (isDtError(error, 'DT_NOT_FOUND')) return false;
    throw error;
  }
}
