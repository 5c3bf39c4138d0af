import { stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { CHECKSUM_EXTENSION, parsePartPath, partPath } from '../domain/wrap/wrap-parts.ts';
import { listParts, openWithoutWaiting, readChecksums } from './part-files.ts';
import { SegmentedFile } from './segmented-file.ts';

/** More names of missing parts help nobody. */
const MAX_NAMED_PARTS = 10;
/** Under such a name a part is one even when its siblings are missing; another file may end in three digits by chance. */
const ARCHIVE_EXTENSION = '.tgz';

/** A part of a wrap, and where it lies in that. */
export interface WrapPart {
  readonly path: string;
  readonly start: number;
  readonly length: number;
  /** In hexadecimal; absent where nobody says what it should be. */
  readonly sha256?: string | undefined;
}

/** A wrap file that is open for reading: one file, or its parts. Must be closed. */
export interface OpenWrapFile {
  /** Of parts the name without number, under which there need not be a file. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly file: SegmentedFile;
  /** In order; none for a wrap in one file. */
  readonly parts: readonly WrapPart[];
}

/**
 * Opens a wrap. The name of a part, of the checksums beside the parts, or the one without number where there is no such file stands for all
 * parts. Throws DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, also for what is no regular file, and DT_WRAP_INCOMPLETE with the names of the parts
 * that are missing or cut.
 */
export async function openWrapFile(path: string): Promise<OpenWrapFile> {
  const whole = await findWhole(path);
  if (whole !== undefined) return openParts(whole);
  const { handle, sizeBytes } = await openRegular(path);
  return { path, sizeBytes, file: new SegmentedFile([handle]), parts: [] };
}

/** What `openWrapFile` finds. Throws as it does. */
export async function findWrapFile(path: string): Promise<Omit<OpenWrapFile, 'file'>> {
  const { file, ...found } = await openWrapFile(path);
  await file.close();
  return found;
}

/** What the path is a part of, or undefined for a wrap in one file. */
async function findWhole(path: string): Promise<string | undefined> {
  const part = parsePartPath(path);
  if (part !== undefined) {
    const { whole, number } = part;
    const isPart = number === 1 || whole.endsWith(ARCHIVE_EXTENSION) || (await exists(partPath(whole, 1)));
    return isPart ? whole : undefined;
  }
  if (path.endsWith(CHECKSUM_EXTENSION)) {
    const whole = path.slice(0, -CHECKSUM_EXTENSION.length);
    return (await listParts(whole)).size > 0 ? whole : undefined;
  }
  return !(await exists(path)) && (await listParts(path)).size > 0 ? path : undefined;
}

async function openParts(path: string): Promise<OpenWrapFile> {
  const found = await listParts(path);
  if (found.size === 0) throw new DtError('DT_FILE_NOT_FOUND', `there is no file ${partPath(path, 1)}`);
  const checksums = await readChecksums(path);
  const count = checksums?.length ?? Math.max(...found.keys());
  requireAll(path, found, count);
  const handles: FileHandle[] = [];
  const parts: WrapPart[] = [];
  try {
    let start = 0;
    for (let number = 1; number <= count; number++) {
      const { handle, sizeBytes } = await openRegular(partPath(path, number));
      handles.push(handle);
      parts.push({ path: partPath(path, number), start, length: sizeBytes, sha256: checksums?.[number - 1] });
      start += sizeBytes;
    }
    requireEqualLengths(path, parts);
    const lengths = parts.map(({ length }) => length);
    return { path, sizeBytes: start, file: new SegmentedFile(handles, lengths), parts };
  } catch (error) {
    await Promise.all(handles.map(async (handle) => handle.close()));
    throw error;
  }
}

function requireAll(path: string, found: ReadonlyMap<number, unknown>, count: number): void {
  const missing = Array.from({ length: count }, (_, index) => index + 1).filter((number) => !found.has(number));
  if (missing.length === 0) return;
  const names = missing.slice(0, MAX_NAMED_PARTS).map((number) => basename(partPath(path, number)));
  const others = missing.length - names.length;
  throw new DtError(
    'DT_WRAP_INCOMPLETE',
    `${path} has ${String(count)} parts, and ${names.join(', ')}${others > 0 ? ` and ${String(others)} more` : ''} ${missing.length === 1 ? 'is' : 'are'} missing`,
    { hints: ['bring all parts into one folder'] },
  );
}

/** A wrap is cut into parts of one length, of which the last may be shorter. */
function requireEqualLengths(path: string, parts: readonly WrapPart[]): void {
  const due = Math.max(...parts.map(({ length }) => length));
  const cut = parts.find(({ length }, index) => length === 0 || (length < due && index < parts.length - 1));
  if (cut === undefined) return;
  const lengths = `${String(cut.length)} bytes where ${parts.length === 1 ? 'some' : String(due)} are due`;
  throw new DtError('DT_WRAP_INCOMPLETE', `the part ${basename(cut.path)} of ${path} is cut: it has ${lengths}`, {
    hints: ['copy this part again'],
  });
}

async function openRegular(path: string): Promise<{ readonly handle: FileHandle; readonly sizeBytes: number }> {
  let handle: FileHandle;
  try {
    handle = await openWithoutWaiting(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT')
      throw new DtError('DT_FILE_NOT_FOUND', `there is no file ${path}`, { cause: error });
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, sizeBytes: stats.size };
  await handle.close();
  throw new DtError('DT_FILE_UNREADABLE', `${path} is not a regular file`);
}

/** True also for what cannot be looked at: opening it tells why. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== 'ENOENT';
  }
}
