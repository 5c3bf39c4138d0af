import type { RegistryStore } from '../../content/registry-store.ts';
import { retryMismatch } from '../../content/retry-mismatch.ts';
import { chartTag } from '../../domain/chart/chart-manifest.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import type { ManifestContent } from '../../domain/oci/descriptor.ts';
import { isDigest } from '../../domain/oci/digest.ts';
import { trimOciScheme } from '../../domain/oci/oci-scheme.ts';
import { isTag, parseReference, type Reference } from '../../domain/oci/reference.ts';
import { selectChartVersion } from '../../domain/version/select-version.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';

/** Tags that a message names. */
const MAX_NAMED_TAGS = 10;

/** The manifest of one version of what a repository holds. */
export interface OciVersion {
  readonly reference: Reference;
  readonly store: RegistryStore;
  readonly content: ManifestContent;
}

/**
 * Reads the manifest that a version, a range of versions, or the latest one has in `oci://…`. Throws DT_USAGE, DT_BAD_REFERENCE,
 * DT_CHART_VERSION_NOT_FOUND, and the registry errors.
 */
export async function readOciVersion(
  location: string,
  version: string | undefined,
  context: RunContext,
): Promise<OciVersion> {
  const { signal } = context;
  const reference = parseVersionReference(location, version);
  const store = openRepository(context, reference);
  const identifier = reference.digest ?? (await chooseTag(store, version ?? reference.tag, location, context));
  const content = await retryMismatch(store, async (bypassesCaches) =>
    store.readManifest(identifier, { signal, bypassesCaches }),
  );
  return { reference, store, content };
}

function parseVersionReference(location: string, version: string | undefined): Reference {
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
  const version = selectVersion(tags, wanted, location);
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

/** What stands behind the colon of a location is a tag, and need not be a version. */
function selectVersion(tags: readonly string[], wanted: string | undefined, location: string): string | undefined {
  const versions = tags.filter((candidate) => !isDigest(candidate)).map((candidate) => candidate.replaceAll('_', '+'));
  try {
    return selectChartVersion(versions, wanted);
  } catch (error) {
    if (isDtError(error, 'DT_USAGE') && location.endsWith(`:${wanted ?? ''}`)) return undefined;
    throw error;
  }
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
