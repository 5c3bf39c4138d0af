import { PassThrough, pipeline, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { DtError } from '../domain/errors.ts';
import { pathInTopFolder } from '../domain/wrap/wrap-document.ts';
import { readTarEntries, type TarLimits } from './unpack-tar.ts';
import type { TarEntry } from './tar-header.ts';
import { openWrapFile } from './wrap-file.ts';

/** Wraps of other tools repeat blobs; a petabyte is no wrap. */
const LIMITS: TarLimits = { maxEntries: 200_000, maxTotalBytes: 2 ** 50 };

/** Thrown by a handler that has seen enough. */
class StopScan extends Error {}

export interface ScanHandler {
  /** `path` has lost its first part (the top folder). Content that is not read is skipped. */
  onEntry(entry: TarEntry, content: Readable): Promise<'stop' | undefined>;
}

/**
 * Goes through a wrap file, or its parts, from front to back without unpacking it. Throws as `openWrapFile`, DT_WRAP_INVALID for what
 * is no gzip tar, DT_WRAP_TRUNCATED, DT_UNSAFE_ENTRY, and what the handler throws.
 */
export async function scanWrap(path: string, onEntry: ScanHandler['onEntry'], signal?: AbortSignal): Promise<void> {
  const { file } = await openWrapFile(path);
  const source = file.stream(signal);
  const unzipped = pipeline(source, createGunzip({ chunkSize: 256 * 1024 }), new PassThrough(), () => {
    // The reader of the tar sees every error.
  });
  try {
    await readTarEntries(
      unzipped,
      {
        name: path,
        limits: LIMITS,
        allowHardLinks: true,
        requireEndMark: true,
        truncatedCode: 'DT_WRAP_TRUNCATED',
        invalidCode: 'DT_WRAP_INVALID',
      },
      async (entry, content) => {
        const inner = { ...entry, path: pathInTopFolder(entry.path) };
        if ((await onEntry(inner, content)) === 'stop') throw new StopScan();
      },
    );
  } catch (error) {
    if (!(error instanceof StopScan)) throw error;
  } finally {
    source.destroy();
    await file.close();
  }
}

/** Reads an entry into memory. Throws DT_LIMIT_EXCEEDED. */
export async function readEntry(
  entry: Pick<TarEntry, 'path' | 'sizeBytes'>,
  content: Readable,
  limitBytes: number,
): Promise<Buffer> {
  if (entry.sizeBytes > limitBytes) {
    throw new DtError('DT_LIMIT_EXCEEDED', `the entry ${entry.path} has more than ${String(limitBytes)} bytes`);
  }
  return buffer(content);
}
