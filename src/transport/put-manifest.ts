import type { IncomingHttpHeaders } from 'node:http';
import { DtError } from '../domain/errors.ts';
import type { ManifestContent } from '../domain/oci/descriptor.ts';
import { matchesDigest } from '../domain/oci/digest.ts';
import { readDigestHeader } from './manifest-headers.ts';
import type { RegistryClient } from './registry-client.ts';

/**
 * Stores a manifest under a tag or its digest. Returns the headers of the answer. Throws DT_DIGEST_MISMATCH if the registry says that
 * it holds something else then. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
 */
export async function putManifest(
  client: RegistryClient,
  repository: string,
  target: string,
  { descriptor, bytes }: ManifestContent,
  signal?: AbortSignal,
): Promise<IncomingHttpHeaders> {
  const { headers } = await client.send({
    method: 'PUT',
    path: `manifests/${target}`,
    repository,
    action: 'push',
    headers: { 'content-type': descriptor.mediaType },
    body: Buffer.from(bytes),
    expect: [200, 201, 202],
    what: `manifest ${target}`,
    signal,
  });
  const stored = readDigestHeader(headers['docker-content-digest']);
  // A registry may name what is under a tag by a digest of another algorithm.
  if (stored !== undefined && !matchesDigest(bytes, stored)) {
    throw new DtError(
      'DT_DIGEST_MISMATCH',
      `${client.registry}/${repository} stored ${target} as ${stored} instead of ${descriptor.digest}`,
      { side: 'destination' },
    );
  }
  return headers;
}
