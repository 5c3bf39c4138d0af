import { SmallEntries } from '../../archive/small-entries.ts';
import type { WrapReader } from '../../archive/wrap-reader.ts';
import { CheckedContent } from '../../content/checked-content.ts';
import {
  buildChartTree,
  CHART_MODE_BITS,
  MAX_CHART_BYTES,
  MAX_CHART_ENTRIES,
  type ChartEntry,
  type ChartTree,
} from '../../domain/chart/chart-tree.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';
import { matchesDigest, type Digest } from '../../domain/oci/digest.ts';
import { parseWrapDocument } from '../../domain/wrap/parse-wrap-document.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import {
  CHART_FOLDER,
  pathInTopFolder,
  topFolderOf,
  WRAP_DISCOVERY_PATH,
  WRAP_DOCUMENT_PATH,
  WRAP_TOC_PATH,
  type WrapDocument,
} from '../../domain/wrap/wrap-document.ts';
import { MAX_WRAP_DOCUMENT_BYTES, requireWithinLimit } from '../../domain/wrap/wrap-limits.ts';
import { createPathFilter, parseLayoutPath } from '../../domain/wrap/wrap-path.ts';
import { checkBlobs, type CheckedFiles } from './check-blobs.ts';
import { checkLinks, checkPathsOnce } from './check-entry-names.ts';
import type { Progress } from '../ports.ts';
import { readMembers, type LargeFile } from './read-members.ts';
import { groupLayouts, type ContentFolder, type WrapContent, type WrapFile } from './wrap-content.ts';

export interface ContentOptions {
  readonly damages: DamageList;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Reads all of one of our own wraps and checks every byte, header and place of it. What is wrong goes to the damages. Undefined if
 * nobody can tell what should be in the wrap. Throws DT_WRAP_UNSUPPORTED, DT_LIMIT_EXCEEDED, DT_INTERRUPTED, system errors.
 */
export async function readIndexedContent(
  reader: WrapReader,
  options: ContentOptions,
): Promise<WrapContent | undefined> {
  const { damages, signal } = options;
  const small = new SmallEntries(reader);
  const files = await readMembers(reader, damages, signal);
  checkPathsOnce(files, damages);
  const opened = await openDocument(reader, small, files, damages);
  const listed = groupListed(opened?.document);
  const digestsOf = (path: string): readonly Digest[] => {
    const named = parseLayoutPath(path)?.digest;
    return [...new Set([...(named === undefined ? [] : [named]), ...(listed.digests.get(path) ?? [])])];
  };
  checkLinks(files, digestsOf, damages);
  const checked = await checkBlobs(reader, small, files, {
    ...options,
    digestsOf,
    sizeOf: (digest) => listed.sizes.get(digest),
  });
  if (opened === undefined) return undefined;
  const { document, topFolder } = opened;
  checkListed(files, document, topFolder, damages);
  const sound = new SoundFiles(reader, small, checked);
  const folders = await openFolders({ wrapPath: reader.path, files, sound, opened }, damages);
  const discoveryFile = files.find(({ path }) => path === `${topFolder}/${WRAP_DISCOVERY_PATH}`);
  const discovery = discoveryFile === undefined ? undefined : await sound.read(discoveryFile, MAX_WRAP_DOCUMENT_BYTES);
  return {
    kind: document.kind,
    document,
    folders,
    content: new CheckedContent(reader.path, checked.blobs, async (digest) =>
      sound.readBlob(digest, checked.files.get(digest)),
    ),
    layouts: await groupLayouts(files, async ({ place }) => (place === undefined ? undefined : small.readAt(place))),
    artifacts: new Map(),
    ...(discovery === undefined ? {} : { discovery }),
    blobCount: checked.blobCount,
    blobBytes: checked.blobBytes,
  };
}

interface OpenedDocument {
  readonly document: WrapDocument;
  readonly topFolder: string;
  /** Of `.dt/wrap.json`. */
  readonly sizeBytes: number;
}

interface FolderSource {
  readonly wrapPath: string;
  readonly files: readonly WrapFile[];
  readonly sound: SoundFiles;
  readonly opened: OpenedDocument;
}

/** The first entry of the archive. */
async function openDocument(
  reader: WrapReader,
  small: SmallEntries,
  files: readonly (WrapFile | LargeFile)[],
  damages: DamageList,
): Promise<OpenedDocument | undefined> {
  const [first] = files;
  if (first?.type !== 'file' || pathInTopFolder(first.path) !== WRAP_DOCUMENT_PATH) {
    damages.add(
      'DT_WRAP_INVALID',
      `${WRAP_DOCUMENT_PATH} is not the first entry, so nobody knows what should be in the wrap`,
    );
    return undefined;
  }
  try {
    const { path, place } = first;
    const bytes =
      place === undefined ? (await reader.readLarge(path, MAX_WRAP_DOCUMENT_BYTES)).bytes : await small.readAt(place);
    const topFolder = topFolderOf(path);
    return { document: parseWrapDocument(bytes), topFolder, sizeBytes: bytes.length };
  } catch (error) {
    // Another version of the format is no damage.
    if (!isDtError(error) || error.code === 'DT_WRAP_UNSUPPORTED') throw error;
    damages.addError(error, { entry: first.path });
    return undefined;
  }
}

function groupListed(document: WrapDocument | undefined): {
  readonly digests: ReadonlyMap<string, readonly Digest[]>;
  readonly sizes: ReadonlyMap<Digest, number>;
} {
  const digests = new Map<string, Digest[]>();
  for (const { path, digest } of document?.blobs ?? []) {
    if (path !== undefined) digests.set(path, [...(digests.get(path) ?? []), digest]);
  }
  return { digests, sizes: new Map(document?.blobs.map(({ digest, size }) => [digest, size])) };
}

/** What the document lists must be there, and nothing else. */
function checkListed(files: readonly WrapFile[], document: WrapDocument, topFolder: string, damages: DamageList): void {
  const types = new Map(files.map(({ path, type }) => [path, type]));
  for (const { path, digest, base } of document.blobs) {
    if (path === undefined) {
      if (base !== undefined) continue;
      damages.add('DT_WRAP_INCOMPLETE', `${WRAP_DOCUMENT_PATH} does not say where the blob lies`, { digest });
      continue;
    }
    if (types.get(path) === 'file' && pathInTopFolder(path) !== WRAP_TOC_PATH) continue;
    const why = types.has(path) ? 'the entry holds no bytes of its own' : 'the entry is missing';
    damages.add('DT_WRAP_INCOMPLETE', why, { entry: path, digest });
  }
  const isAllowed = createPathFilter(document, topFolder);
  for (const { path } of files) {
    if (!isAllowed(path))
      damages.add('DT_WRAP_INVALID', `nothing in ${WRAP_DOCUMENT_PATH} says what the entry is`, { entry: path });
  }
}

/** Reads the files whose bytes were found sound. */
class SoundFiles {
  readonly #reader: WrapReader;
  readonly #small: SmallEntries;
  readonly #soundPaths: ReadonlySet<string>;

  constructor(reader: WrapReader, small: SmallEntries, { soundPaths }: CheckedFiles) {
    this.#reader = reader;
    this.#small = small;
    this.#soundPaths = soundPaths;
  }

  /** A copy: the bytes are part of a member, all of which would stay in memory. Undefined for a file that is not sound, or is none. */
  async read({ path, place }: WrapFile, limitBytes: number): Promise<Buffer | undefined> {
    if (place !== undefined) return Buffer.from(await this.#small.readAt(place));
    return this.#soundPaths.has(path) ? (await this.#reader.readLarge(path, limitBytes)).bytes : undefined;
  }

  /** A blob that was found sound. Throws DT_DIGEST_MISMATCH if it is no more. */
  async readBlob(digest: Digest, file: WrapFile | undefined): Promise<Buffer> {
    const bytes = file === undefined ? undefined : await this.read(file, file.sizeBytes);
    if (bytes !== undefined && matchesDigest(bytes, digest)) return bytes;
    throw new DtError('DT_DIGEST_MISMATCH', `${digest} in ${this.#reader.path} was changed while it was verified`);
  }
}

async function openFolders(
  { wrapPath, files, sound, opened: { document, topFolder, sizeBytes } }: FolderSource,
  damages: DamageList,
): Promise<ContentFolder[]> {
  const lockPath = `${topFolder}/${LOCK_FILE_NAME}`;
  const chartFolders = document.charts.map(({ path }) => `${path}/`);
  const keptBytes = files
    .filter(({ path }) => path === lockPath || chartFolders.some((folder) => path.startsWith(folder)))
    .reduce((sum, file) => sum + file.sizeBytes, sizeBytes);
  // Told before any of it is read.
  requireWithinLimit(keptBytes, MAX_CHART_BYTES, wrapPath, 'bytes of charts and locks');
  if (document.kind === 'container') {
    const lockFile = files.find(({ path }) => path === lockPath);
    const lockBytes = lockFile === undefined ? undefined : await sound.read(lockFile, MAX_CHART_BYTES);
    return [{ name: topFolder, ...(lockBytes === undefined ? {} : { lockBytes }) }];
  }
  const folders: ContentFolder[] = [];
  for (const wrapped of document.charts) {
    const name = wrapped.path.slice(0, -CHART_FOLDER.length - 1);
    if (wrapped.path !== `${name}/${CHART_FOLDER}` || name === '' || name.includes('/')) {
      damages.add('DT_WRAP_INVALID', `${WRAP_DOCUMENT_PATH} says that a chart lies in ${wrapped.path}`);
      continue;
    }
    const entries: ChartEntry[] = [];
    for (const file of files) {
      if (!file.path.startsWith(`${wrapped.path}/`) || file.type === 'link') continue;
      const bytes = file.type === 'directory' ? new Uint8Array() : await sound.read(file, MAX_CHART_BYTES);
      if (bytes === undefined) continue;
      requireWithinLimit(entries.length + 1, MAX_CHART_ENTRIES, wrapPath, 'files and folders of a chart');
      const path = file.path.slice(wrapped.path.length + 1);
      entries.push({ path, type: file.type, mode: file.mode & CHART_MODE_BITS, bytes });
    }
    const tree = buildTree(entries, wrapped.path, damages);
    const lockBytes = tree?.find(({ path }) => path === LOCK_FILE_NAME)?.bytes;
    folders.push({
      name,
      wrapped,
      ...(tree === undefined ? {} : { tree }),
      ...(lockBytes === undefined ? {} : { lockBytes }),
    });
  }
  return folders;
}

function buildTree(entries: readonly ChartEntry[], entry: string, damages: DamageList): ChartTree | undefined {
  try {
    return buildChartTree(entries);
  } catch (error) {
    if (!isDtError(error)) throw error;
    damages.addError(error, { entry });
    return undefined;
  }
}
