import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_INDEX } from '../domain/oci/media-types.ts';
import type { Exchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';

/**
 * The entry of a manifest in a list of referrers: its descriptor with its own artifact type (else that of its config)
 * and its annotations. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export function describeReferrer(content: ManifestContent): Descriptor {
  const document = JSON.parse(Buffer.from(content.bytes).toString('utf8')) as {
    readonly artifactType?: unknown;
    readonly config?: { readonly mediaType?: unknown };
    readonly annotations?: unknown;
  };
  const artifactType = [document.artifactType, document.config?.mediaType].find(
    (value): value is string => typeof value === 'string' && value !== '',
  );
  return {
    ...content.descriptor,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(isStringRecord(document.annotations) ? { annotations: document.annotations } : {}),
  };
}

/** GET of the referrers of a digest. A digest that nobody knows has an empty list. */
export async function listReferrers(
  context: HandlerContext,
  exchange: Exchange,
  repository: string,
  digest: Digest,
): Promise<void> {
  const referrers = await context.backend.listReferrers(repository, digest);
  const wanted = exchange.query.get('artifactType');
  const manifests = wanted === null ? referrers : referrers.filter(({ artifactType }) => artifactType === wanted);
  exchange.respondJson(
    200,
    { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests },
    { 'Content-Type': MEDIA_TYPE_OCI_INDEX, ...(wanted === null ? {} : { 'OCI-Filters-Applied': 'artifactType' }) },
  );
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item === 'string');
}
