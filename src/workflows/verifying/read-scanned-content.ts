import type { Readable } from 'node:stream';
import { readEntry, scanWrap } from '../../archive/scan-wrap.ts';
import type { TarEntry } from '../../archive/tar-header.ts';
import { CheckedContent, type CheckedBlob } from '../../content/checked-content.ts';
import {
  buildChartTree,
  CHART_MODE_BITS,
  MAX_CHART_BYTES,
  MAX_CHART_ENTRIES,
  type ChartEntry,
} from '../../domain/chart/chart-tree.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';
import { createDigestHash, digestHex, type Digest } from '../../domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../domain/oci/manifest.ts';
import { CHART_FOLDER, pathInTopFolder, WRAP_DOCUMENT_PATH } from '../../domain/wrap/wrap-document.ts';
import { parseLayoutPath } from '../../domain/wrap/wrap-path.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import { checkLinks, checkPathsOnce } from './check-entry-names.ts';
import type { ContentOptions } from './read-indexed-content.ts';
import { groupLayouts, type ContentFolder, type WrapContent, type WrapFile } from './wrap-content.ts';

/** Manifests, configs and layout files of a wrap, which are held in memory together. */
const MAX_DOCUMENTS_BYTES = 128 * 1024 * 1024;
const OPENING_BRACE = 0x7b;

/**
 * Goes once through a wrap of the Go tool and checks every blob against its name. What is wrong with one entry goes to the
 * damages. Throws what ends the way through the file: DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, DT_WRAP_TRUNCATED, DT_WRAP_INVALID,
 * DT_UNSAFE_ENTRY, DT_LIMIT_EXCEEDED.
 */
export async function readScannedContent(path: string, options: ContentOptions): Promise<WrapContent> {
  const scan = new ContentScan(path, options);
  await scanWrap(
    path,
    async (entry, content) => {
      await scan.take(entry, content);
      return undefined;
    },
    options.signal,
  );
  return scan.finish();
}

class ContentScan {
  readonly #path: string;
  readonly #damages: DamageList;
  readonly #progress: ContentOptions['progress'];
  readonly #files: (Pick<WrapFile, 'path' | 'type' | 'linkTarget'> & { readonly bytes?: Buffer })[] = [];
  readonly #blobs = new Map<Digest, CheckedBlob>();
  readonly #chart: ChartEntry[] = [];
  #chartBytes = 0;
  #documentBytes = 0;
  #containerLock: Buffer | undefined;
  #blobCount = 0;
  #blobBytes = 0;

  constructor(path: string, { damages, progress }: ContentOptions) {
    this.#path = path;
    this.#damages = damages;
    this.#progress = progress;
  }

  async take(entry: TarEntry, content: Readable): Promise<void> {
    const { path, type } = entry;
    if (path === WRAP_DOCUMENT_PATH) throw new DtError('DT_WRAP_TRUNCATED', `${this.#path} is cut: it has no footer`);
    if (type === 'link') this.#files.push({ path, type, linkTarget: pathInTopFolder(entry.linkTarget) });
    if (type !== 'file' && type !== 'directory') return;
    const file = parseLayoutPath(path);
    if (path.startsWith(`${CHART_FOLDER}/`)) await this.#takeChartEntry(entry, type, content);
    else if (type === 'directory') return;
    else if (file?.digest !== undefined) await this.#takeBlob(entry, file.digest, content);
    else if (file !== undefined || path === LOCK_FILE_NAME) {
      const bytes = await readEntry(entry, content, MAX_MANIFEST_BYTES);
      this.#countDocument(bytes);
      this.#files.push({ path, type, bytes, linkTarget: '' });
      if (path === LOCK_FILE_NAME) this.#containerLock = bytes;
    } else this.#files.push({ path, type, linkTarget: '' });
  }

  /** Throws DT_WRAP_INVALID for an archive that is no wrap. */
  async finish(): Promise<WrapContent> {
    if (this.#chart.length === 0 && this.#containerLock === undefined) {
      throw new DtError('DT_WRAP_INVALID', `${this.#path} is not a wrap: it has no chart`);
    }
    checkPathsOnce(this.#files, this.#damages);
    const digestsOf = (path: string): readonly Digest[] => {
      const digest = parseLayoutPath(path)?.digest;
      return digest === undefined ? [] : [digest];
    };
    checkLinks(this.#files, digestsOf, this.#damages);
    const kind = this.#chart.length === 0 ? 'container' : 'chart';
    const documents = this.#files.filter(({ bytes }) => bytes !== undefined);
    return {
      kind,
      folders: [this.#openFolder()],
      content: new CheckedContent(this.#path, this.#blobs),
      layouts: await groupLayouts(this.#files, ({ bytes }) => Promise.resolve(bytes)),
      artifacts: new Map(
        documents.flatMap(({ path, bytes }) => {
          const isIndex = path.startsWith('artifacts/') && path.endsWith('/index.json');
          return isIndex && bytes !== undefined ? [[path.slice(0, path.lastIndexOf('/')), bytes]] : [];
        }),
      ),
      blobCount: this.#blobCount,
      blobBytes: this.#blobBytes,
    };
  }

  #openFolder(): ContentFolder {
    if (this.#chart.length === 0)
      return { name: '', ...(this.#containerLock === undefined ? {} : { lockBytes: this.#containerLock }) };
    try {
      const tree = buildChartTree(this.#chart);
      const lockBytes = tree.find(({ path }) => path === LOCK_FILE_NAME)?.bytes;
      return { name: '', tree, ...(lockBytes === undefined ? {} : { lockBytes }) };
    } catch (error) {
      if (!isDtError(error)) throw error;
      this.#damages.addError(error, { entry: CHART_FOLDER });
      return { name: '' };
    }
  }

  async #takeChartEntry(entry: TarEntry, type: 'file' | 'directory', content: Readable): Promise<void> {
    const { path, mode, sizeBytes } = entry;
    this.#chartBytes += sizeBytes;
    if (this.#chartBytes > MAX_CHART_BYTES || this.#chart.length >= MAX_CHART_ENTRIES) {
      throw new DtError('DT_LIMIT_EXCEEDED', `the chart in ${this.#path} is too large`);
    }
    const bytes = await readEntry(entry, content, MAX_CHART_BYTES);
    if (type === 'file') this.#files.push({ path, type, linkTarget: '' });
    this.#chart.push({ path: path.slice(CHART_FOLDER.length + 1), type, mode: mode & CHART_MODE_BITS, bytes });
  }

  /** What looks like a JSON document is kept. */
  async #takeBlob(entry: TarEntry, digest: Digest, content: Readable): Promise<void> {
    const { path, sizeBytes } = entry;
    const hash = createDigestHash(digest);
    let kept: Buffer[] | undefined;
    let isFirst = true;
    for await (const chunk of content as AsyncIterable<Buffer>) {
      if (isFirst && chunk[0] === OPENING_BRACE && sizeBytes <= MAX_MANIFEST_BYTES && !this.#blobs.has(digest))
        kept = [];
      isFirst = false;
      hash.update(chunk);
      kept?.push(chunk);
      this.#progress.addBytes(chunk.length);
    }
    this.#blobCount += 1;
    this.#blobBytes += sizeBytes;
    this.#files.push({ path, type: 'file', linkTarget: '' });
    if (hash.digest('hex') !== digestHex(digest)) {
      this.#damages.add('DT_DIGEST_MISMATCH', 'the entry does not have the digest in its name', {
        entry: path,
        digest,
      });
      return;
    }
    if (this.#blobs.has(digest)) return;
    const bytes = kept === undefined ? undefined : Buffer.concat(kept);
    if (bytes !== undefined) this.#countDocument(bytes);
    this.#blobs.set(digest, { path, sizeBytes, ...(bytes === undefined ? {} : { bytes }) });
  }

  #countDocument(bytes: Buffer): void {
    this.#documentBytes += bytes.length;
    if (this.#documentBytes > MAX_DOCUMENTS_BYTES) {
      throw new DtError(
        'DT_LIMIT_EXCEEDED',
        `${this.#path} has more than ${String(MAX_DOCUMENTS_BYTES)} bytes of manifests`,
      );
    }
  }
}
