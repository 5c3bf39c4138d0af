import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../domain/errors.ts';
import { digestAlgorithm, digestHex, type Digest } from '../domain/oci/digest.ts';

/**
 * Where things lie in the folder of a registry:
 * `blobs/ALG/HEX` bytes of blobs and manifests of all repositories; `uploads/ID` bytes on their way in;
 * `repositories/NAME/_blobs/ALG/HEX` (empty), `_manifests/ALG/HEX` (media type), `_tags/TAG` (digest) and
 * `_referrers/ALG/HEX/ALG-HEX` (descriptor). No part of a repository name starts with `_`, so nothing can collide.
 */
export class FolderLayout {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get uploads(): string {
    return join(this.root, 'uploads');
  }

  get repositories(): string {
    return join(this.root, 'repositories');
  }

  blob(digest: Digest): string {
    return join(this.root, 'blobs', digestAlgorithm(digest), digestHex(digest));
  }

  upload(id: string): string {
    return join(this.uploads, id);
  }

  blobLink(repository: string, digest: Digest): string {
    return join(this.repositories, repository, '_blobs', digestAlgorithm(digest), digestHex(digest));
  }

  manifests(repository: string): string {
    return join(this.repositories, repository, '_manifests');
  }

  manifestLink(repository: string, digest: Digest): string {
    return join(this.manifests(repository), digestAlgorithm(digest), digestHex(digest));
  }

  tags(repository: string): string {
    return join(this.repositories, repository, '_tags');
  }

  tag(repository: string, tag: string): string {
    return join(this.tags(repository), tag);
  }

  referrers(repository: string, subject: Digest): string {
    return join(this.repositories, repository, '_referrers', digestAlgorithm(subject), digestHex(subject));
  }

  referrer(repository: string, subject: Digest, digest: Digest): string {
    return join(this.referrers(repository, subject), `${digestAlgorithm(digest)}-${digestHex(digest)}`);
  }

  /** Writes a file under a temporary name beside the uploads and renames it into place. */
  async replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
    const temporary = this.upload(randomUUID());
    try {
      await writeFile(temporary, bytes, { flag: 'wx' });
      await this.moveIntoPlace(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async moveIntoPlace(from: string, to: string): Promise<void> {
    try {
      await rename(from, to);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      await mkdir(dirname(to), { recursive: true });
      await rename(from, to);
    }
  }
}

/** The result of a file operation, or undefined when the file is not there. */
export async function ifPresent<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

export function readText(path: string): Promise<string | undefined> {
  return ifPresent(readFile(path, 'utf8'));
}

export async function isPresent(path: string): Promise<boolean> {
  return (await ifPresent(stat(path))) !== undefined;
}

export async function listNames(path: string): Promise<readonly string[]> {
  return (await ifPresent(readdir(path))) ?? [];
}

/** Removes a file. False if it was not there. */
export async function removeFile(path: string): Promise<boolean> {
  return (await ifPresent(rm(path).then(() => true))) ?? false;
}
