import type { Digest } from '../domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_INDEX } from '../domain/oci/media-types.ts';
import type { Exchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';

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
