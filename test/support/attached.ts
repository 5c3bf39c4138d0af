import { AttachedFinder } from '../../src/content/find-attached.ts';
import { RegistryStore } from '../../src/content/registry-store.ts';
import type { AttachedArtifact } from '../../src/domain/oci/attached-artifact.ts';
import type { ManifestContent } from '../../src/domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../src/domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_MANIFEST } from '../../src/domain/oci/media-types.ts';
import type { HttpClient } from '../../src/transport/http/http-client.ts';
import { RegistryClient } from '../../src/transport/registry-client.ts';

/** The config and the only layer of the artifacts made here. */
export const EMPTY_BLOB = Buffer.from('{}');
const MEDIA_TYPE_EMPTY = 'application/vnd.oci.empty.v1+json';

/** A client over plain HTTP without credentials. Two of them know nothing of each other, as in two processes. */
export function createPlainClient(http: HttpClient, host: string): RegistryClient {
  return new RegistryClient(host, {
    http,
    credentials: () => Promise.resolve(undefined),
    usePlainHttp: true,
    allowPlainHttp: false,
  });
}

export function openPlainStore(http: HttpClient, host: string, repository = 'a/b'): RegistryStore {
  return new RegistryStore(createPlainClient(http, host), repository, 'push');
}

/** An artifact that is attached to the subject; its manifest needs `EMPTY_BLOB` only. */
export function createArtifact(subject: Digest, name: string): ManifestContent {
  const empty = { mediaType: MEDIA_TYPE_EMPTY, digest: digestOf(EMPTY_BLOB), size: EMPTY_BLOB.length };
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE_OCI_MANIFEST,
    artifactType: 'application/x.test',
    config: empty,
    layers: [empty],
    subject: { mediaType: MEDIA_TYPE_OCI_MANIFEST, digest: subject, size: 7 },
    annotations: { name },
  };
  const bytes = Buffer.from(JSON.stringify(document));
  return { descriptor: { mediaType: MEDIA_TYPE_OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length }, bytes };
}

export async function findAttached(
  store: RegistryStore,
  subjects: readonly Digest[],
  imageTag?: string,
): Promise<AttachedArtifact[]> {
  return new AttachedFinder(store).find(subjects, { concurrency: 4, imageTag });
}
