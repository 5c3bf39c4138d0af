import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { DtError } from '../domain/errors.ts';
import { createDigestHash, digestAlgorithm, digestHex, type Digest } from '../domain/oci/digest.ts';
import type { FolderLayout } from './folder-layout.ts';
import { BLOB_CHUNK_BYTES } from './limits.ts';
import type { UploadSession } from './registry-backend.ts';
import type { UploadTable } from './upload-table.ts';

/** An upload into a file, hashed while it is written. The file is open only while bytes arrive. */
export class FolderUpload implements UploadSession {
  readonly id = randomUUID();
  sizeBytes = 0;
  readonly #sha256 = createHash('sha256');
  readonly #layout: FolderLayout;
  readonly #uploads: UploadTable;
  readonly #onStored: (digest: Digest) => Promise<void>;

  /** `onStored` makes the blob known to its repository. */
  constructor(layout: FolderLayout, uploads: UploadTable, onStored: (digest: Digest) => Promise<void>) {
    this.#layout = layout;
    this.#uploads = uploads;
    this.#onStored = onStored;
  }

  get #path(): string {
    return this.#layout.upload(this.id);
  }

  async append(source: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await open(this.#path, this.sizeBytes === 0 ? 'w' : 'r+');
    const writer = new BatchWriter(file, this.sizeBytes);
    try {
      for await (const chunk of source) {
        this.#sha256.update(chunk);
        this.sizeBytes += chunk.length;
        await writer.add(chunk);
      }
    } finally {
      // Also after the source has failed: what was counted and hashed has to be on disk for the client to go on.
      try {
        await writer.flush();
      } catch (error) {
        await this.cancel();
        throw error;
      } finally {
        await file.close();
      }
    }
  }

  async finish(digest: Digest): Promise<void> {
    this.#uploads.remove(this.id);
    try {
      if (this.sizeBytes === 0) await (await open(this.#path, 'w')).close();
      if ((await this.#hashHex(digest)) !== digestHex(digest)) {
        throw new DtError('DT_DIGEST_MISMATCH', `the uploaded bytes do not have the digest ${digest}`);
      }
      await this.#layout.moveIntoPlace(this.#path, this.#layout.blob(digest));
    } catch (error) {
      await this.cancel();
      throw error;
    }
    await this.#onStored(digest);
  }

  async cancel(): Promise<void> {
    this.#uploads.remove(this.id);
    await rm(this.#path, { force: true });
  }

  /** Which algorithm the client wants is known only at the end; sha256 is the one that is ready then. */
  async #hashHex(digest: Digest): Promise<string> {
    if (digestAlgorithm(digest) === 'sha256') return this.#sha256.digest('hex');
    const hash = createDigestHash(digest);
    for await (const chunk of createReadStream(this.#path, { highWaterMark: BLOB_CHUNK_BYTES })) {
      hash.update(chunk as Buffer);
    }
    return hash.digest('hex');
  }
}

/** Joins small pieces to large writes; the next batch is received and hashed while the last one is written. */
class BatchWriter {
  readonly #file: FileHandle;
  #position: number;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #pending: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes >= BLOB_CHUNK_BYTES) await this.#startWrite();
  }

  async flush(): Promise<void> {
    await this.#startWrite();
    await this.#pending;
  }

  async #startWrite(): Promise<void> {
    await this.#pending;
    if (this.#batch.length === 0) return;
    this.#pending = this.#writeAll(this.#batch, this.#position);
    // Its failure is reported by the next call that waits for it.
    this.#pending.catch(() => undefined);
    this.#position += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
  }

  /** A write may take less than it was given: then the rest goes out in the next one. */
  async #writeAll(chunks: Uint8Array[], position: number): Promise<void> {
    let rest = chunks;
    let written = 0;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#file.writev(rest, position + written);
      written += bytesWritten;
      rest = skipBytes(rest, bytesWritten);
    }
  }
}

function skipBytes(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array[] {
  let skip = sizeBytes;
  return chunks.flatMap((chunk) => {
    const from = Math.min(skip, chunk.length);
    skip -= from;
    return from === chunk.length ? [] : [chunk.subarray(from)];
  });
}
