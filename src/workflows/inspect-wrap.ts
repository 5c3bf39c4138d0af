import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readEntry, scanWrap } from '../archive/scan-wrap.ts';
import { findWrapFile } from '../archive/wrap-file.ts';
import { WrapReader } from '../archive/wrap-reader.ts';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { LOCK_FILE_NAME, type ImagesLock } from '../domain/lock/images-lock.ts';
import { MAX_LOCK_BYTES, parseImagesLock } from '../domain/lock/parse-lock.ts';
import { parseWrapDocument } from '../domain/wrap/parse-wrap-document.ts';
import {
  CHART_FOLDER,
  pathInTopFolder,
  topFolderOf,
  WRAP_DOCUMENT_PATH,
  wrapFolder,
  type WrapDocument,
} from '../domain/wrap/wrap-document.ts';
import { missingLockError } from './opening/opened-wrap.ts';

const CHART_LOCK_PATH = `${CHART_FOLDER}/${LOCK_FILE_NAME}`;

export interface WrappedLock {
  readonly lock: ImagesLock;
  /** The lock as it stands in the wrap. */
  readonly text: string;
}

export interface WrapInformation {
  readonly path: string;
  /** Undefined for a folder. */
  readonly sizeBytes: number | undefined;
  /** One for each chart, or the one of a wrap of single images. */
  readonly locks: readonly WrappedLock[];
  /** What the wrap holds, byte by byte; only our own format tells. */
  readonly document: WrapDocument | undefined;
}

/**
 * Tells what is in a wrap, or in the folder of a locked chart. Of our own wraps only the table of contents and the first
 * entries are read, of others everything up to the lock; blobs are not checked. `chartNames` (`NAME` or `NAME-VERSION`) chooses
 * among several charts. Throws DT_FILE_NOT_FOUND, DT_WRAP_INVALID, DT_WRAP_UNSUPPORTED, DT_WRAP_TRUNCATED, DT_LOCK_INVALID, DT_USAGE.
 */
export async function inspectWrap(
  path: string,
  chartNames: readonly string[] = [],
  signal?: AbortSignal,
): Promise<WrapInformation> {
  return selectLocks(await inspect(path, signal), chartNames);
}

/** The information about the charts that were asked for. Throws DT_USAGE naming the charts that there are. */
export function selectLocks(information: WrapInformation, chartNames: readonly string[]): WrapInformation {
  const { path } = information;
  if (chartNames.length === 0) return information;
  const isNamed = ({ lock: { chart } }: WrappedLock, wanted: string): boolean =>
    [chart.name, wrapFolder(chart)].includes(wanted);
  const unknown = chartNames.find((wanted) => !information.locks.some((item) => isNamed(item, wanted)));
  if (unknown !== undefined) {
    throw new DtError('DT_USAGE', `${path} has no chart ${unknown}`, {
      detail: `It has ${information.locks.map(({ lock }) => wrapFolder(lock.chart)).join(', ')}.`,
    });
  }
  const locks = information.locks.filter((item) => chartNames.some((wanted) => isNamed(item, wanted)));
  return { ...information, locks };
}

async function inspect(path: string, signal: AbortSignal | undefined): Promise<WrapInformation> {
  if (await isFolder(path)) return describeLocks(path, undefined, [await readFolderLock(path)]);
  const { sizeBytes } = await findWrapFile(path);
  const reader = await WrapReader.open(path);
  if (reader === undefined) return describeLocks(path, sizeBytes, [await scanLock(path, signal)]);
  try {
    const { lockTexts, document } = await readIndexed(reader);
    return describeLocks(path, sizeBytes, lockTexts, document);
  } finally {
    await reader.close();
  }
}

/** Throws DT_LOCK_INVALID. */
export function describeLocks(
  path: string,
  sizeBytes: number | undefined,
  lockTexts: readonly string[],
  document?: WrapDocument,
): WrapInformation {
  const locks = lockTexts.map((text) => ({ lock: parseImagesLock(text, LOCK_FILE_NAME), text }));
  return { path, sizeBytes, locks, document };
}

/** False also for what is not there: its parts may be. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function readFolderLock(path: string): Promise<string> {
  try {
    return await readFile(join(path, LOCK_FILE_NAME), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT')
      throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
    throw new DtError('DT_WRAP_INVALID', `the folder ${path} has no ${LOCK_FILE_NAME}`, {
      cause: error,
      hints: [`{bin} images lock ${path}`],
    });
  }
}

async function readIndexed(reader: WrapReader): Promise<{ lockTexts: string[]; document: WrapDocument }> {
  let found: { readonly document: WrapDocument; readonly lockPaths: readonly string[] } | undefined;
  // Other folders can claim to be charts as well; which ones are, the document says.
  const locks = new Map<string, string>();
  const take = (path: string, bytes: Buffer): void => {
    if (pathInTopFolder(path) === WRAP_DOCUMENT_PATH && found === undefined) {
      const document = parseWrapDocument(bytes);
      found = { document, lockPaths: listLockPaths(document, topFolderOf(path)) };
    }
    if (isLockPath(path) && !locks.has(path)) locks.set(path, bytes.toString('utf8'));
  };
  // A very long list of blobs or images makes these large entries.
  for (const path of reader.largePaths()) {
    if (!path.endsWith(`/${WRAP_DOCUMENT_PATH}`) && !isLockPath(path)) continue;
    take(path, (await reader.readLarge(path, MAX_LOCK_BYTES)).bytes);
  }
  for await (const { path, bytes } of reader.readSmallEntries()) {
    if (found?.lockPaths.every((lockPath) => locks.has(lockPath)) === true) break;
    take(path, bytes);
  }
  if (found === undefined) throw new DtError('DT_WRAP_INVALID', `${reader.path} has no ${WRAP_DOCUMENT_PATH}`);
  const lockTexts = found.lockPaths.map((path) => {
    const text = locks.get(path);
    if (text === undefined) throw missingLockError(reader.path);
    return text;
  });
  return { document: found.document, lockTexts };
}

/** `NAME-VERSION/chart/Images.lock`, or `NAME-TAG/Images.lock` in a wrap of single images. */
function isLockPath(path: string): boolean {
  return [CHART_LOCK_PATH, LOCK_FILE_NAME].includes(pathInTopFolder(path));
}

/** Where the locks of a wrap lie. */
export function listLockPaths({ kind, charts }: WrapDocument, topFolder: string): string[] {
  return kind === 'container'
    ? [`${topFolder}/${LOCK_FILE_NAME}`]
    : charts.map(({ path }) => `${path}/${LOCK_FILE_NAME}`);
}

/** Container wraps of the Go tool have the lock at the top, chart wraps in `chart/`. */
async function scanLock(path: string, signal: AbortSignal | undefined): Promise<string> {
  let lockText: string | undefined;
  await scanWrap(
    path,
    async (entry, content) => {
      if (entry.path === WRAP_DOCUMENT_PATH) throw new DtError('DT_WRAP_TRUNCATED', `${path} is cut: it has no footer`);
      if (entry.path !== CHART_LOCK_PATH && entry.path !== LOCK_FILE_NAME) return undefined;
      lockText = (await readEntry(entry, content, MAX_LOCK_BYTES)).toString('utf8');
      return 'stop';
    },
    signal,
  );
  if (lockText === undefined) throw missingLockError(path);
  return lockText;
}
