import type { Readable } from 'node:stream';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { DtError } from '../domain/errors.ts';
import { digestAlgorithm, isDigest } from '../domain/oci/digest.ts';
import type { HttpResponse } from './http.ts';
import type { RegistryClient } from './registry-client.ts';

export interface UploadRequest {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly descriptor: Descriptor;
  /** Opens the verified bytes of the blob. Not called when the mount succeeds. */
  readonly open: () => Promise<Readable>;
  /** A repository of the same registry that has the blob. */
  readonly mountFrom?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Puts a blob into a repository: by cross-repository mount where one is offered and taken, else POST and one PUT.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function uploadBlob(request: UploadRequest): Promise<'mounted' | 'written'> {
  const { client, repository, descriptor, mountFrom, signal } = request;
  const what = `blob ${descriptor.digest}`;
  const query =
    mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: descriptor.digest, from: mountFrom }).toString()}`;
  const session = await client.send({
    method: 'POST',
    path: `blobs/uploads/${query}`,
    repository,
    action: 'push',
    alsoPull: mountFrom,
    headers: { 'content-length': '0' },
    expect: [201, 202],
    what,
    signal,
  });
  if (session.status === 201) return 'mounted';

  const location = uploadLocation(session, client.registry);
  location.searchParams.append('digest', descriptor.digest);
  const stored = await client.send({
    method: 'PUT',
    path: location,
    repository,
    action: 'push',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
    body: request.open,
    expect: [201, 204],
    what,
    signal,
  });
  checkStoredDigest(stored, request);
  return 'written';
}

/** A registry may call the blob by a digest of another algorithm, but not by another digest of the same one. */
function checkStoredDigest(response: HttpResponse, { client, repository, descriptor }: UploadRequest): void {
  const header = response.headers['docker-content-digest'];
  if (typeof header !== 'string' || !isDigest(header) || header === descriptor.digest) return;
  if (digestAlgorithm(header) !== digestAlgorithm(descriptor.digest)) return;
  throw new DtError(
    'DT_DIGEST_MISMATCH',
    `${client.registry}/${repository} stored the blob ${descriptor.digest} as ${header}`,
    { side: 'destination' },
  );
}

function uploadLocation(response: HttpResponse, registry: string): URL {
  const header = response.headers.location;
  if (header === undefined || !URL.canParse(header, response.url)) {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} opened an upload without saying where to send it`);
  }
  const location = new URL(header, response.url);
  if (!/^https?:$/.test(location.protocol)) {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} wants an upload over ${location.protocol} instead of HTTP`);
  }
  if (location.protocol === 'http:' && response.url.protocol === 'https:') {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} wants an upload over plain HTTP although it speaks TLS`);
  }
  return location;
}
