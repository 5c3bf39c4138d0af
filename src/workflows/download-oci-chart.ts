import { readBlobBytes } from '../content/read-blob-bytes.ts';
import type { RegistryStore } from '../content/registry-store.ts';
import { retryMismatch } from '../content/retry-mismatch.ts';
import { chartTag } from '../domain/chart/chart-manifest.ts';
import { MAX_CHART_BYTES } from '../domain/chart/chart-tree.ts';
import { DtError, isDtError } from '../domain/errors.ts';
import { parseManifest } from '../domain/oci/manifest.ts';
import { MEDIA_TYPE_HELM_CHART } from '../domain/oci/media-types.ts';
import { isDigest } from '../domain/oci/digest.ts';
import { trimOciScheme } from '../domain/oci/oci-scheme.ts';
import { isTag, parseReference, type Reference } from '../domain/oci/reference.ts';
import { selectChartVersion } from '../domain/version/select-version.ts';
import type { RunContext } from './context.ts';
import { openRepository } from './registry-stores.ts';

/** Tags that a message names. */
const MAX_NAMED_TAGS = 10;

/** The archive of a chart in a registry. https://helm.sh/docs/topics/registries/ */
export async function downloadOciChart(
  location: string,
  version: string | undefined,
  context: RunContext,
): Promise<Buffer> {
  const { signal } = context;
  const reference = parseChartReference(location, version);
  const store = openRepository(context, reference);
  const identifier = reference.digest ?? (await chooseTag(store, version ?? reference.tag, location, context));
  const manifest = parseManifest(
    await retryMismatch(store, async (bypassesCaches) => store.readManifest(identifier, { signal, bypassesCaches })),
  );
  const layer =
    manifest.kind === 'manifest'
      ? manifest.layers.find(({ mediaType }) => mediaType === MEDIA_TYPE_HELM_CHART)
      : undefined;
  if (layer === undefined) {
    throw new DtError('DT_CHART_INVALID', `${location} is not a Helm chart`, {
      detail: 'Its manifest has no layer with the archive of a chart.',
    });
  }
  if (layer.size > MAX_CHART_BYTES) {
    throw new DtError('DT_CHART_TOO_LARGE', `the chart ${location} is larger than ${String(MAX_CHART_BYTES)} bytes`);
  }
  return readBlobBytes(store, layer, { signal });
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
