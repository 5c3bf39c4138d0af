import type { WrapReader } from '../../archive/wrap-reader.ts';
import { CheckedContent, type CheckedBlob } from '../../content/checked-content.ts';
import {
  buildChartTree,
  CHART_MODE_BITS,
  MAX_CHART_BYTES,
  type ChartEntry,
  type ChartTree,
} from '../../domain/chart/chart-tree.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';
import { matchesDigest, type Digest } from '../../domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../domain/oci/manifest.ts';
import { isIndexMediaType, isManifestMediaType } from '../../domain/oci/media-types.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import {
  CHART_FOLDER,
  parseWrapDocument,
  pathInTopFolder,
  WRAP_DISCOVERY_PATH,
  WRAP_DOCUMENT_PATH,
  type WrapDocument,
} from '../../domain/wrap/wrap-document.ts';
import { createPathFilter, parseLayoutPath } from '../../domain/wrap/wrap-path.ts';
import { checkBlobs, type CheckedFiles } from './check-blobs.ts';
import { checkLinks, checkPathsOnce } from './check-entry-names.ts';
import type { Progress } from '../ports.ts';
import { readMembers, type LargeFile } from './read-members.ts';
import { groupLayouts, type ContentFolder, type WrapContent, type WrapFile } from './wrap-content.ts';

/** Manifests that are members of their own, all of them together: they are held in memory. */
const MAX_LARGE_MANIFESTS_BYTES = 128 * 1024 * 1024;

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
  const files = await readMembers(reader, damages, signal);
  checkPathsOnce(files, damages);
  const opened = await openDocument(reader, files, damages);
  const listed = groupListed(opened?.document);
  const digestsOf = (path: string): readonly Digest[] => {
    const named = parseLayoutPath(path)?.digest;
    return [...new Set([...(named === undefined ? [] : [named]), ...(listed.digests.get(path) ?? [])])];
  };
  checkLinks(files, digestsOf, damages);
  const checked = await checkBlobs(reader, files, {
    ...options,
    digestsOf,
    sizeOf: (digest) => listed.sizes.get(digest),
  });
  if (opened === undefined) return undefined;
  const { document, topFolder } = opened;
  checkListed(files, document, topFolder, damages);
  await loadManifests(reader, document, checked.blobs);
  const folders = await openFolders(reader, files, checked, opened, damages);
  const discovery = await readFile(reader, files, checked, `${topFolder}/${WRAP_DISCOVERY_PATH}`);
  return {
    kind: document.kind,
    document,
    folders,
    content: new CheckedContent(reader.path, checked.blobs, async (digest, blob) => loadBlob(reader, digest, blob)),
    layouts: groupLayouts(files, parseLayoutPath),
    artifacts: new Map(),
    ...(discovery === undefined ? {} : { discovery }),
    blobCount: checked.blobCount,
    blobBytes: checked.blobBytes,
  };
}

interface OpenedDocument {
  readonly document: WrapDocument;
  readonly topFolder: string;
}

/** The first entry of the archive. */
async function openDocument(
  reader: WrapReader,
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
    const bytes = first.bytes ?? (await reader.readLarge(first.path, MAX_CHART_BYTES)).bytes;
    return { document: parseWrapDocument(bytes), topFolder: first.path.slice(0, -WRAP_DOCUMENT_PATH.length - 1) };
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
  for (const { path, digest } of document.blobs) {
    if (path === undefined || types.get(path) === 'file') continue;
    const why = types.has(path) ? 'the entry holds no bytes of its own' : 'the entry is missing';
    damages.add('DT_WRAP_INCOMPLETE', why, { entry: path, digest });
  }
  const isAllowed = createPathFilter(document, topFolder);
  for (const { path } of files) {
    if (!isAllowed(path))
      damages.add('DT_WRAP_INVALID', `nothing in ${WRAP_DOCUMENT_PATH} says what the entry is`, { entry: path });
  }
}

/** Manifests are small; the few that are not are read once more. */
async function loadManifests(
  reader: WrapReader,
  document: WrapDocument,
  blobs: Map<Digest, CheckedBlob>,
): Promise<void> {
  let totalBytes = 0;
  for (const { digest, mediaType } of document.blobs) {
    const blob = blobs.get(digest);
    if (blob === undefined || blob.bytes !== undefined) continue;
    if (!isManifestMediaType(mediaType) && !isIndexMediaType(mediaType)) continue;
    if (blob.sizeBytes > MAX_MANIFEST_BYTES) continue;
    totalBytes += blob.sizeBytes;
    if (totalBytes > MAX_LARGE_MANIFESTS_BYTES) {
      throw new DtError(
        'DT_LIMIT_EXCEEDED',
        `${reader.path} has more than ${String(MAX_LARGE_MANIFESTS_BYTES)} bytes of manifests`,
      );
    }
    blobs.set(digest, { ...blob, bytes: await loadBlob(reader, digest, blob) });
  }
}

async function loadBlob(reader: WrapReader, digest: Digest, { path, sizeBytes }: CheckedBlob): Promise<Buffer> {
  const { bytes } = await reader.readLarge(path, sizeBytes);
  if (matchesDigest(bytes, digest)) return bytes;
  throw new DtError('DT_DIGEST_MISMATCH', `${path} of ${reader.path} was changed while it was verified`);
}

async function openFolders(
  reader: WrapReader,
  files: readonly WrapFile[],
  checked: CheckedFiles,
  { document, topFolder }: OpenedDocument,
  damages: DamageList,
): Promise<ContentFolder[]> {
  if (document.kind === 'container') {
    const lockBytes = await readFile(reader, files, checked, `${topFolder}/${LOCK_FILE_NAME}`);
    return [{ name: topFolder, ...(lockBytes === undefined ? {} : { lockBytes }) }];
  }
  const folders: ContentFolder[] = [];
  let remainingBytes = MAX_CHART_BYTES;
  for (const wrapped of document.charts) {
    const name = wrapped.path.slice(0, -CHART_FOLDER.length - 1);
    if (wrapped.path !== `${name}/${CHART_FOLDER}` || name === '' || name.includes('/')) {
      damages.add('DT_WRAP_INVALID', `${WRAP_DOCUMENT_PATH} says that a chart lies in ${wrapped.path}`);
      continue;
    }
    const entries: ChartEntry[] = [];
    for (const file of files) {
      if (!file.path.startsWith(`${wrapped.path}/`) || file.type === 'link') continue;
      const bytes = file.bytes ?? (await readFile(reader, files, checked, file.path, remainingBytes));
      if (bytes === undefined) continue;
      if (file.bytes === undefined) remainingBytes -= bytes.length;
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

/** The bytes of a file whose member is sound. */
async function readFile(
  reader: WrapReader,
  files: readonly WrapFile[],
  { soundPaths }: CheckedFiles,
  path: string,
  limitBytes = MAX_CHART_BYTES,
): Promise<Uint8Array | undefined> {
  if (soundPaths.has(path)) return (await reader.readLarge(path, limitBytes)).bytes;
  return files.find((file) => file.path === path && file.type === 'file')?.bytes;
}
