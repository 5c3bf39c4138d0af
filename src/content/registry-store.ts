import type { Readable } from 'node:stream';
import { DtError, isDtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { digestOf, isDigest, matchesDigest, parseDigest, type Digest } from '../domain/oci/digest.ts';
import { detectManifestMediaType, MAX_MANIFEST_BYTES } from '../domain/oci/manifest.ts';
import { MANIFEST_MEDIA_TYPES } from '../domain/oci/media-types.ts';
import { listTags } from '../transport/list-tags.ts';
import type { RegistryClient } from '../transport/registry-client.ts';
import { openResumableBody } from '../transport/http/resumable-body.ts';
import { uploadBlob } from '../transport/upload.ts';
import type { BlobOutcome, ReadOptions, ReadableStore, WritableStore, WriteBlobOptions } from './store.ts';

const ACCEPT_MANIFESTS = { accept: [...MANIFEST_MEDIA_TYPES, '*/*;q=0.1'].join(', ') };

/** One repository of a registry. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md */
export class RegistryStore implements ReadableStore, WritableStore {
  readonly name: string;
  readonly isRemote = true;
  readonly mountScope: string;
  readonly repository: string;
  readonly #client: RegistryClient;
  readonly #readAction: 'pull' | 'push';

  /**
   * `action` is what the repository is opened for. One that is pushed to is read with the token for that as well: a registry may
   * deny to pull from a repository that is not there yet, and one token is enough.
   */
  constructor(client: RegistryClient, repository: string, action: 'pull' | 'push' = 'pull') {
    this.#client = client;
    this.#readAction = action;
    this.repository = repository;
    this.mountScope = client.registry;
    this.name = `${client.registry}/${repository}`;
  }

  async resolve(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor> {
    const descriptor = await this.#headManifest(tagOrDigest, signal);
    // Some registries leave the digest or the length out of the answer to HEAD.
    return descriptor ?? (await this.readManifest(tagOrDigest, { signal })).descriptor;
  }

  async readManifest(tagOrDigest: string, options: ReadOptions = {}): Promise<ManifestContent> {
    const { signal } = options;
    const response = await this.#client.send({
      method: 'GET',
      path: `manifests/${tagOrDigest}`,
      repository: this.repository,
      action: this.#readAction,
      headers: { ...ACCEPT_MANIFESTS, ...cacheHeaders(options) },
      expect: [200],
      what: `manifest ${tagOrDigest}`,
      isVerified: isDigest(tagOrDigest),
      signal,
      limitBytes: MAX_MANIFEST_BYTES,
    });
    const bytes = response.body;
    const promised = isDigest(tagOrDigest) ? tagOrDigest : readDigestHeader(response.headers['docker-content-digest']);
    if (promised !== undefined && !matchesDigest(bytes, promised)) {
      throw new DtError(
        'DT_DIGEST_MISMATCH',
        `manifest ${tagOrDigest} from ${this.name} does not have the digest ${promised}`,
      );
    }
    const mediaType = mediaTypeOf(response.headers['content-type']) ?? detectManifestMediaType(bytes) ?? '';
    return { descriptor: { mediaType, digest: promised ?? digestOf(bytes), size: bytes.length }, bytes };
  }

  async openBlob(descriptor: Descriptor, options: ReadOptions = {}): Promise<Readable> {
    const { signal } = options;
    return openResumableBody({
      sizeBytes: descriptor.size,
      retryPolicy: this.#client.retryPolicy,
      signal,
      open: async (fromByte) =>
        this.#client.stream({
          method: 'GET',
          path: `blobs/${descriptor.digest}`,
          repository: this.repository,
          action: this.#readAction,
          headers: {
            ...(fromByte === 0 ? {} : { range: `bytes=${String(fromByte)}-` }),
            ...cacheHeaders(options),
          },
          expect: fromByte === 0 ? [200] : [200, 206, 416],
          what: `blob ${descriptor.digest}`,
          signal,
          isSingleTry: fromByte > 0,
          isVerified: true,
        }),
    });
  }

  async hasBlob(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
    const response = await this.#client.send({
      method: 'HEAD',
      path: `blobs/${descriptor.digest}`,
      repository: this.repository,
      action: 'push',
      expect: [200, 404],
      what: `blob ${descriptor.digest}`,
      signal,
    });
    return response.status === 200;
  }

  async hasManifest(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
    try {
      return (await this.#headManifest(descriptor.digest, signal, 'push')) !== undefined;
    } catch (error) {
      if (isDtError(error, 'DT_NOT_FOUND')) return false;
      throw error;
    }
  }

  async writeBlob(
    descriptor: Descriptor,
    open: () => Promise<Readable>,
    options: WriteBlobOptions = {},
  ): Promise<BlobOutcome> {
    const { signal, mountFrom } = options;
    if (mountFrom === undefined && (await this.hasBlob(descriptor, signal))) return 'present';
    return uploadBlob({ client: this.#client, repository: this.repository, descriptor, open, mountFrom, signal });
  }

  async writeManifest(content: ManifestContent, tags: readonly string[] = [], signal?: AbortSignal): Promise<void> {
    const { descriptor, bytes } = content;
    for (const target of tags.length === 0 ? [descriptor.digest] : tags) {
      const response = await this.#client.send({
        method: 'PUT',
        path: `manifests/${target}`,
        repository: this.repository,
        action: 'push',
        headers: { 'content-type': descriptor.mediaType },
        body: Buffer.from(bytes),
        expect: [200, 201, 202],
        what: `manifest ${target}`,
        signal,
      });
      const stored = readDigestHeader(response.headers['docker-content-digest']);
      if (stored !== undefined && stored !== descriptor.digest) {
        throw new DtError(
          'DT_DIGEST_MISMATCH',
          `${this.name} stored ${target} as ${stored} instead of ${descriptor.digest}`,
          {
            side: 'destination',
          },
        );
      }
    }
  }

  /** All tags, in the order of the registry. Throws DT_LIMIT_EXCEEDED. */
  async listTags(signal?: AbortSignal): Promise<string[]> {
    return listTags(this.#client, this.repository, this.#readAction, signal);
  }

  async #headManifest(
    tagOrDigest: string,
    signal: AbortSignal | undefined,
    action: 'pull' | 'push' = this.#readAction,
  ): Promise<Descriptor | undefined> {
    const response = await this.#client.send({
      method: 'HEAD',
      path: `manifests/${tagOrDigest}`,
      repository: this.repository,
      action,
      headers: ACCEPT_MANIFESTS,
      expect: [200],
      what: `manifest ${tagOrDigest}`,
      signal,
    });
    const digest =
      readDigestHeader(response.headers['docker-content-digest']) ?? (isDigest(tagOrDigest) ? tagOrDigest : undefined);
    const mediaType = mediaTypeOf(response.headers['content-type']);
    const size = Number(response.headers['content-length']);
    if (digest === undefined || mediaType === undefined || !Number.isSafeInteger(size)) return undefined;
    return { mediaType, digest, size };
  }
}

/** https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.4 */
function cacheHeaders({ bypassesCaches }: ReadOptions): Readonly<Record<string, string>> {
  return bypassesCaches === true ? { 'cache-control': 'no-cache' } : {};
}

function readDigestHeader(header: string | string[] | undefined): Digest | undefined {
  return typeof header === 'string' && isDigest(header) ? parseDigest(header) : undefined;
}

function mediaTypeOf(header: string | undefined): string | undefined {
  return header?.split(';')[0]?.trim();
}
