import { isDtError } from '../domain/errors.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { digestOf, isDigest, matchesDigest } from '../domain/oci/digest.ts';
import {
  detectManifestMediaType,
  manifestSuccessors,
  MAX_MANIFEST_BYTES,
  parseManifest,
  type Manifest,
} from '../domain/oci/manifest.ts';
import { isNonDistributable } from '../domain/oci/media-types.ts';
import { isTag } from '../domain/oci/reference.ts';
import { describeReferrer } from '../domain/oci/referrers-index.ts';
import type { Exchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import type { RegistryWriter } from './registry-backend.ts';

/** PUT of a manifest. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests */
export async function putManifest(
  context: HandlerContext,
  writer: RegistryWriter,
  exchange: Exchange,
  repository: string,
  tagOrDigest: string,
): Promise<void> {
  const wantedDigest = isDigest(tagOrDigest) ? tagOrDigest : undefined;
  if (wantedDigest === undefined && !isTag(tagOrDigest)) {
    exchange.fail('TAG_INVALID', 'the reference is neither a tag nor a digest');
    return;
  }
  const bytes = await readBody(exchange);
  if (bytes === undefined) {
    exchange.fail('SIZE_INVALID', `a manifest has at most ${String(MAX_MANIFEST_BYTES)} bytes`, { status: 413 });
    return;
  }
  if (wantedDigest !== undefined && !matchesDigest(bytes, wantedDigest)) {
    exchange.fail('DIGEST_INVALID', 'the manifest does not have this digest', { detail: { digest: wantedDigest } });
    return;
  }
  const digest = wantedDigest ?? digestOf(bytes);
  const declaredType = exchange.request.headers['content-type']?.split(';', 1)[0]?.trim();
  const mediaType = declaredType ?? detectManifestMediaType(bytes) ?? '';
  const descriptor: Descriptor = { mediaType, digest, size: bytes.length };
  const content = { descriptor, bytes };

  let manifest: Manifest;
  try {
    manifest = parseManifest(content);
  } catch (error) {
    if (!isDtError(error, 'DT_MANIFEST_INVALID')) throw error;
    exchange.fail('MANIFEST_INVALID', error.message);
    return;
  }
  if (manifest.mediaType !== mediaType) {
    exchange.fail('MANIFEST_INVALID', 'the Content-Type differs from the mediaType of the manifest');
    return;
  }
  const missing = await findMissingSuccessors(context, repository, manifest);
  if (missing.length > 0) {
    const message = 'the manifest refers to content that the repository does not have';
    const errors = missing.map((item) => ({
      code: 'MANIFEST_BLOB_UNKNOWN' as const,
      message,
      detail: { digest: item.digest },
    }));
    exchange.failWith(errors, 404);
    return;
  }
  const { subject } = manifest;
  await writer.putManifest(repository, content, {
    tag: wantedDigest === undefined ? tagOrDigest : undefined,
    referrer: subject === undefined ? undefined : { subject: subject.digest, descriptor: describeReferrer(content) },
  });
  exchange.respond(201, {
    Location: `/v2/${repository}/manifests/${digest}`,
    'Docker-Content-Digest': digest,
    ...(subject === undefined ? {} : { 'OCI-Subject': subject.digest }),
  });
}

/** The body, or undefined when it is longer than a manifest may be. */
async function readBody(exchange: Exchange): Promise<Uint8Array | undefined> {
  if (Number(exchange.request.headers['content-length'] ?? 0) > MAX_MANIFEST_BYTES) return undefined;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of exchange.body) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_MANIFEST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Successors that the repository lacks. A subject may be absent, and so may layers that live at a URL. */
async function findMissingSuccessors(
  context: HandlerContext,
  repository: string,
  manifest: Manifest,
): Promise<readonly Descriptor[]> {
  if (manifest.kind === 'index' && context.acceptSparseIndexes) return [];
  const missing: Descriptor[] = [];
  for (const successor of manifestSuccessors(manifest)) {
    const { digest, mediaType, urls } = successor;
    if (urls !== undefined && isNonDistributable(mediaType)) continue;
    const isManifestThere =
      manifest.kind === 'index' && (await context.backend.statManifest(repository, digest)) !== undefined;
    if (isManifestThere || (await context.backend.statBlob(repository, digest)) !== undefined) continue;
    missing.push(successor);
  }
  return missing;
}
