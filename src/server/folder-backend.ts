import { mkdir, open, readFile, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { isDigest, type Digest } from '../domain/oci/digest.ts';
import { parseManifest } from '../domain/oci/manifest.ts';
import { FolderLayout, ifPresent, isPresent, listNames, readText, removeFile } from './folder-layout.ts';
import { FolderUpload } from './folder-upload.ts';
import { BLOB_CHUNK_BYTES } from './limits.ts';
import type {
  ByteRange,
  PutManifestOptions,
  RegistryBackend,
  RegistryWriter,
  UploadSession,
} from './registry-backend.ts';
import { UploadTable } from './upload-table.ts';

/**
 * Opens a registry in a folder on disk, which is created if it is not there. Blobs are stored once for all
 * repositories. Every file appears by a rename. Deleting removes links only; bytes that nothing links to stay.
 */
export async function openFolderBackend(
  folder: string,
): Promise<RegistryBackend & { readonly writer: RegistryWriter }> {
  const layout = new FolderLayout(folder);
  await Promise.all([
    mkdir(layout.uploads, { recursive: true }),
    mkdir(layout.repositories, { recursive: true }),
    mkdir(join(folder, 'blobs'), { recursive: true }),
  ]);
  return new FolderBackend(layout);
}

class FolderBackend implements RegistryBackend {
  readonly writer: RegistryWriter;
  readonly #layout: FolderLayout;

  constructor(layout: FolderLayout) {
    this.#layout = layout;
    this.writer = new FolderWriter(layout, this);
  }

  async listRepositories(): Promise<readonly string[]> {
    const found: string[] = [];
    const visit = async (folder: string): Promise<void> => {
      const entries = await readdir(folder, { withFileTypes: true });
      const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
      if (folders.includes('_manifests')) found.push(relative(this.#layout.repositories, folder).split(sep).join('/'));
      for (const name of folders) if (!name.startsWith('_')) await visit(join(folder, name));
    };
    await visit(this.#layout.repositories);
    return found;
  }

  async statBlob(repository: string, digest: Digest): Promise<number | undefined> {
    if (!(await isPresent(this.#layout.blobLink(repository, digest)))) return undefined;
    return (await ifPresent(stat(this.#layout.blob(digest))))?.size;
  }

  async openBlob(repository: string, digest: Digest, range?: ByteRange): Promise<Readable | undefined> {
    if (!(await isPresent(this.#layout.blobLink(repository, digest)))) return undefined;
    const file = await ifPresent(open(this.#layout.blob(digest)));
    return file?.createReadStream({ highWaterMark: BLOB_CHUNK_BYTES, ...range });
  }

  async statManifest(repository: string, tagOrDigest: string): Promise<Descriptor | undefined> {
    const digest = await this.#resolve(repository, tagOrDigest);
    if (digest === undefined) return undefined;
    const [mediaType, stats] = await Promise.all([
      readText(this.#layout.manifestLink(repository, digest)),
      ifPresent(stat(this.#layout.blob(digest))),
    ]);
    return mediaType === undefined || stats === undefined ? undefined : { mediaType, digest, size: stats.size };
  }

  async readManifest(repository: string, tagOrDigest: string): Promise<ManifestContent | undefined> {
    const descriptor = await this.statManifest(repository, tagOrDigest);
    if (descriptor === undefined) return undefined;
    const bytes = await ifPresent(readFile(this.#layout.blob(descriptor.digest)));
    return bytes && { descriptor, bytes };
  }

  async listTags(repository: string): Promise<readonly string[] | undefined> {
    if (!(await isPresent(this.#layout.manifests(repository)))) return undefined;
    return listNames(this.#layout.tags(repository));
  }

  async listReferrers(repository: string, digest: Digest): Promise<readonly Descriptor[]> {
    const folder = this.#layout.referrers(repository, digest);
    const texts = await Promise.all((await listNames(folder)).map((name) => readText(join(folder, name))));
    return texts.filter((text) => text !== undefined).map((text) => JSON.parse(text) as Descriptor);
  }

  async #resolve(repository: string, tagOrDigest: string): Promise<Digest | undefined> {
    if (isDigest(tagOrDigest)) return tagOrDigest;
    const text = await readText(this.#layout.tag(repository, tagOrDigest));
    return text !== undefined && isDigest(text) ? text : undefined;
  }
}

class FolderWriter implements RegistryWriter {
  readonly #layout: FolderLayout;
  readonly #backend: FolderBackend;
  readonly #uploads = new UploadTable();

  constructor(layout: FolderLayout, backend: FolderBackend) {
    this.#layout = layout;
    this.#backend = backend;
  }

  async beginUpload(repository: string): Promise<UploadSession> {
    await this.#uploads.makeRoom();
    const session = new FolderUpload(this.#layout, this.#uploads, (digest) => this.#linkBlob(repository, digest));
    this.#uploads.add(repository, session);
    return session;
  }

  findUpload(repository: string, id: string): Promise<UploadSession | undefined> {
    return Promise.resolve(this.#uploads.find(repository, id));
  }

  async mountBlob(repository: string, digest: Digest, from?: string): Promise<boolean> {
    const isLinked = from === undefined || (await isPresent(this.#layout.blobLink(from, digest)));
    if (!isLinked || !(await isPresent(this.#layout.blob(digest)))) return false;
    await this.#linkBlob(repository, digest);
    return true;
  }

  deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    return removeFile(this.#layout.blobLink(repository, digest));
  }

  async putManifest(repository: string, content: ManifestContent, options: PutManifestOptions = {}): Promise<void> {
    const { digest, mediaType } = content.descriptor;
    const { tag, referrer } = options;
    // In this order a reader never finds a name for something that is not there yet.
    await this.#layout.replaceFile(this.#layout.blob(digest), content.bytes);
    await this.#layout.replaceFile(this.#layout.manifestLink(repository, digest), mediaType);
    if (referrer !== undefined) {
      const path = this.#layout.referrer(repository, referrer.subject, digest);
      await this.#layout.replaceFile(path, JSON.stringify(referrer.descriptor));
    }
    if (tag !== undefined) await this.#layout.replaceFile(this.#layout.tag(repository, tag), digest);
  }

  async deleteManifest(repository: string, tagOrDigest: string): Promise<boolean> {
    if (!isDigest(tagOrDigest)) return removeFile(this.#layout.tag(repository, tagOrDigest));
    const content = await this.#backend.readManifest(repository, tagOrDigest);
    if (content === undefined) return false;
    for (const tag of await listNames(this.#layout.tags(repository))) {
      const path = this.#layout.tag(repository, tag);
      if ((await readText(path)) === tagOrDigest) await removeFile(path);
    }
    const { subject } = parseManifest(content);
    if (subject !== undefined) await removeFile(this.#layout.referrer(repository, subject.digest, tagOrDigest));
    return removeFile(this.#layout.manifestLink(repository, tagOrDigest));
  }

  #linkBlob(repository: string, digest: Digest): Promise<void> {
    return this.#layout.replaceFile(this.#layout.blobLink(repository, digest), '');
  }
}
