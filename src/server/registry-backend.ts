import type { Readable } from 'node:stream';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';

/** Bytes from `start` to `end`, both included, counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * What the registry server serves. Repository names, tags and digests are valid when they arrive here.
 * Absent content is `undefined`; a thrown error becomes a 500.
 */
export interface RegistryBackend {
  /** Every repository that a manifest was put into, in any order. */
  listRepositories(): Promise<readonly string[]>;
  /** The size of a blob of the repository in bytes. */
  statBlob(repository: string, digest: Digest): Promise<number | undefined>;
  /** Opens a blob, or a part of it that lies inside it. The caller consumes or destroys the stream. */
  openBlob(repository: string, digest: Digest, range?: ByteRange): Promise<Readable | undefined>;
  statManifest(repository: string, tagOrDigest: string): Promise<Descriptor | undefined>;
  readManifest(repository: string, tagOrDigest: string): Promise<ManifestContent | undefined>;
  /** The tags in any order; undefined for a repository that no manifest was ever put into. */
  listTags(repository: string): Promise<readonly string[] | undefined>;
  /** Descriptors of the manifests whose subject is the digest, with `artifactType` and annotations. */
  listReferrers(repository: string, digest: Digest): Promise<readonly Descriptor[]>;
  /** Absent: the registry is read-only. */
  readonly writer?: RegistryWriter | undefined;
}

export interface PutManifestOptions {
  readonly tag?: string | undefined;
  /** The manifest that this one refers to, and the descriptor to list for it. */
  readonly referrer?: { readonly subject: Digest; readonly descriptor: Descriptor } | undefined;
}

/** Changes are atomic: a reader sees all of one or nothing of it. */
export interface RegistryWriter {
  /** Starts an upload. Throws DT_LIMIT_EXCEEDED when too many are open. */
  beginUpload(repository: string): Promise<UploadSession>;
  findUpload(repository: string, id: string): Promise<UploadSession | undefined>;
  /** Makes a stored blob a blob of the repository; without `from` from wherever it is. False if it is not there. */
  mountBlob(repository: string, digest: Digest, from?: string): Promise<boolean>;
  deleteBlob(repository: string, digest: Digest): Promise<boolean>;
  putManifest(repository: string, content: ManifestContent, options?: PutManifestOptions): Promise<void>;
  /** Removes a tag, or a manifest with every tag on it. False if it is not there. */
  deleteManifest(repository: string, tagOrDigest: string): Promise<boolean>;
}

/** A blob on its way in. The server never calls two methods of one session at the same time. */
export interface UploadSession {
  readonly id: string;
  /** Bytes received so far: where the next chunk starts. */
  readonly sizeBytes: number;
  /** Appends everything the source gives. When the source fails, what came before stays and `sizeBytes` tells how much. */
  append(source: AsyncIterable<Uint8Array>): Promise<void>;
  /** Stores the blob. Throws DT_DIGEST_MISMATCH when the bytes differ. The session is over in either case. */
  finish(digest: Digest): Promise<void>;
  cancel(): Promise<void>;
}
