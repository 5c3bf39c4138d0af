import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readEntry, scanWrap } from '../archive/scan-wrap.ts';
import { WrapReader } from '../archive/wrap-reader.ts';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { LOCK_FILE_NAME, type ImagesLock } from '../domain/lock/images-lock.ts';
import { parseImagesLock } from '../domain/lock/parse-lock.ts';
import {
  CHART_FOLDER,
  parseWrapDocument,
  pathInTopFolder,
  WRAP_DOCUMENT_PATH,
  type WrapDocument,
} from '../domain/wrap/wrap-document.ts';
import { missingLockError } from './opened-wrap.ts';

const MAX_LOCK_BYTES = 16 * 1024 * 1024;
const CHART_LOCK_PATH = `${CHART_FOLDER}/${LOCK_FILE_NAME}`;

export interface WrapInformation {
  readonly path: string;
  /** Undefined for a folder. */
  readonly sizeBytes: number | undefined;
  readonly lock: ImagesLock;
  /** The lock as it stands in the wrap. */
  readonly lockText: string;
  /** What the wrap holds, byte by byte; only our own format tells. */
  readonly document: WrapDocument | undefined;
}

/**
 * Tells what is in a wrap, or in the folder of a locked chart. Of our own wraps only the table of contents and the first
 * entries are read, of others everything up to the lock; blobs are not checked.
 * Throws DT_FILE_NOT_FOUND, DT_WRAP_INVALID, DT_WRAP_UNSUPPORTED, DT_WRAP_TRUNCATED, DT_LOCK_INVALID.
 */
export async function inspectWrap(path: string, signal?: AbortSignal): Promise<WrapInformation> {
  const stats = await statInput(path);
  if (stats.isDirectory()) return describe(path, undefined, await readFolderLock(path));
  const reader = await WrapReader.open(path);
  if (reader === undefined) return describe(path, stats.size, await scanLock(path, signal));
  try {
    const { lockText, document } = await readIndexed(reader);
    return describe(path, stats.size, lockText, document);
  } finally {
    await reader.close();
  }
}

function describe(
  path: string,
  sizeBytes: number | undefined,
  lockText: string,
  document?: WrapDocument,
): WrapInformation {
  return { path, sizeBytes, lock: parseImagesLock(lockText, LOCK_FILE_NAME), lockText, document };
}

async function statInput(path: string): Promise<{ isDirectory(): boolean; readonly size: number }> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT')
      throw new DtError('DT_FILE_NOT_FOUND', `there is no wrap at ${path}`, { cause: error });
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
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

async function readIndexed(reader: WrapReader): Promise<{ lockText: string; document: WrapDocument }> {
  let document: WrapDocument | undefined;
  // More than one folder can claim to be the chart; which one is, the document says.
  const locks = new Map<string, string>();
  const take = (path: string, bytes: Buffer): void => {
    const inner = pathInTopFolder(path);
    if (inner === WRAP_DOCUMENT_PATH) document ??= parseWrapDocument(bytes);
    if (inner === CHART_LOCK_PATH && !locks.has(path)) locks.set(path, bytes.toString('utf8'));
  };
  const findLock = (): string | undefined => locks.get(`${document?.charts[0]?.path ?? ''}/${LOCK_FILE_NAME}`);
  // A very long list of blobs or images makes these two large entries.
  for (const path of reader.largePaths()) {
    if (!path.endsWith(`/${WRAP_DOCUMENT_PATH}`) && !path.endsWith(`/${CHART_LOCK_PATH}`)) continue;
    take(path, (await reader.readLarge(path, MAX_LOCK_BYTES)).bytes);
  }
  for await (const { path, bytes } of reader.readSmallEntries()) {
    if (findLock() !== undefined) break;
    take(path, bytes);
  }
  const lockText = findLock();
  if (document === undefined) throw new DtError('DT_WRAP_INVALID', `${reader.path} has no ${WRAP_DOCUMENT_PATH}`);
  if (lockText === undefined) throw missingLockError(reader.path);
  return { document, lockText };
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
