import type { Digest } from '../oci/digest.ts';
import { DOCKER_HUB_REGISTRY, parseReference } from '../oci/reference.ts';

/** An image by its digest, without a tag. */
export interface PinnedReference {
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
}

/** How the Carvel tools write Docker Hub. */
const CARVEL_DOCKER_HUB = 'index.docker.io';

/** `registry/repository` as the Carvel tools write it. */
export function formatCarvelRepository({ registry, repository }: Omit<PinnedReference, 'digest'>): string {
  return `${registry === DOCKER_HUB_REGISTRY ? CARVEL_DOCKER_HUB : registry}/${repository}`;
}

/** `registry/repository@digest` as the Carvel tools write it. */
export function formatPinnedReference(reference: PinnedReference): string {
  return `${formatCarvelRepository(reference)}@${reference.digest}`;
}

/** The image that a text names by digest; undefined without one. A tag beside it says nothing. Throws DT_BAD_REFERENCE. */
export function parsePinnedReference(text: string): PinnedReference | undefined {
  const { registry, repository, digest } = parseReference(text);
  return digest === undefined ? undefined : { registry, repository, digest };
}
