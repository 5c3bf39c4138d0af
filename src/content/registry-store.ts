import type { Readable } from 'node:stream';
import { DtError, isDtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { digestAlgorithm, digestOf, isDigest, matchesDigest, type Digest } from '../domain/oci/digest.ts';
import { detectManifestMediaType, MAX_MANIFEST_BYTES } from '../domain/oci/manifest.ts';
import { MANIFEST_MEDIA_TYPES } from '../domain/oci/media-types.ts';
import { findSubject } from '../domain/oci/referrers-index.ts';
import { listReferrers } from '../transport/list-referrers.ts';
import { listTags, type ListTagsOptions } from '../transport/list-tags.ts';
import { cacheHeaders, mediaTypeOf, readDigestHeader } from '../transport/manifest-headers.ts';
import { putManifest } from '../transport/put-manifest.ts';
import type { RegistryClient } from '../transport/registry-client.ts';
import { openBlob } from '../transport/open-blob.ts';
import { uploadBlob } from '../transport/upload.ts';
import { recordReferrer, type ReferrersPlace } from './record-referrer.ts';
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
    const place = { client: this.#client, repository: this.repository, action: this.#readAction };
    return openBlob(place, descriptor, options);
  }

  async hasBlob(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
    const response = await this.#client.send({
      method: 'HEAD',
      path: `blobs/${descriptor.digest}`,
      repository: this.repository,
      action: this.#readAction,
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

  /**
   * Where the registry does not say that it keeps track of what a manifest is attached to, the list of referrers under the tag for
   * that is kept as well; it adds no entry twice and loses none of others.
   */
  async writeManifest(content: ManifestContent, tags: readonly string[] = [], signal?: AbortSignal): Promise<void> {
    const subject = findSubject(content.bytes);
    let isSubjectKnown = false;
    const { digest } = content.descriptor;
    // What goes under a tag only is known by its sha256 digest.
    const isFoundByTag = tags.length > 0 && digestAlgorithm(digest) === 'sha256';
    for (const target of isFoundByTag ? tags : [digest, ...tags]) {
      const headers = await putManifest(this.#client, this.repository, target, content, signal);
      isSubjectKnown ||= headers['oci-subject'] === subject;
    }
    if (subject === undefined || isSubjectKnown) return;
    const place: ReferrersPlace = {
      name: this.name,
      owner: this.#client,
      signal,
      listReferrers: async () => listReferrers(this.#client, this.repository, 'push', subject, signal),
      readManifest: async (tag) => this.readManifest(tag, { signal, bypassesCaches: true }),
      putManifest: async (tag, index) => putManifest(this.#client, this.repository, tag, index, signal),
    };
    await recordReferrer(place, subject, content);
  }

  /** All tags, in the order of the registry. Throws DT_LIMIT_EXCEEDED. */
  async listTags(signal?: AbortSignal, options: Omit<ListTagsOptions, 'signal'> = {}): Promise<string[]> {
    return listTags(this.#client, this.repository, this.#readAction, { ...options, signal });
  }

  /** What the Referrers API says is attached to the digest; undefined in a registry without it. See list-referrers.ts. */
  async listReferrers(subject: Digest, signal?: AbortSignal): Promise<readonly Digest[] | undefined> {
    return listReferrers(this.#client, this.repository, this.#readAction, subject, signal);
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
