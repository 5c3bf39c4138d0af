import { isDigest } from '../domain/oci/digest.ts';
import { isTag } from '../domain/oci/reference.ts';
import type { Exchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import type { RegistryWriter } from './registry-backend.ts';

/** GET and HEAD of a manifest. The bytes go out as they came in, whatever `Accept` says: converting would change the digest. */
export async function getManifest(
  context: HandlerContext,
  exchange: Exchange,
  repository: string,
  tagOrDigest: string,
): Promise<void> {
  const { backend } = context;
  if (!isTag(tagOrDigest) && !isDigest(tagOrDigest)) {
    failManifestUnknown(exchange, tagOrDigest);
    return;
  }
  const content = exchange.method === 'HEAD' ? undefined : await backend.readManifest(repository, tagOrDigest);
  const descriptor =
    exchange.method === 'HEAD' ? await backend.statManifest(repository, tagOrDigest) : content?.descriptor;
  if (descriptor === undefined) {
    failManifestUnknown(exchange, tagOrDigest);
    return;
  }
  const { mediaType, digest, size } = descriptor;
  const headers = { 'Content-Type': mediaType, 'Docker-Content-Digest': digest, ETag: `"${digest}"` };
  exchange.respond(200, { ...headers, 'Content-Length': size }, content?.bytes);
}

export async function deleteManifest(
  writer: RegistryWriter,
  exchange: Exchange,
  repository: string,
  tagOrDigest: string,
): Promise<void> {
  const isValid = isTag(tagOrDigest) || isDigest(tagOrDigest);
  if (isValid && (await writer.deleteManifest(repository, tagOrDigest))) exchange.respond(202);
  else failManifestUnknown(exchange, tagOrDigest);
}

function failManifestUnknown(exchange: Exchange, tagOrDigest: string): void {
  exchange.fail('MANIFEST_UNKNOWN', 'the repository has no such manifest', { detail: { reference: tagOrDigest } });
}
