import { constants, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { CHECKSUM_EXTENSION, formatChecksums, partPath, planPartLengths } from '../domain/wrap/wrap-parts.ts';
import { writeFileAtomically } from '../files/atomic-write.ts';
import { PARTIAL_EXTENSION, requireRegularOutput } from './output-path.ts';
import { listParts, readChecksums } from './part-files.ts';
import { removeOtherPartials, removeRegularFile, takeBackParts } from './partial-files.ts';
import { SegmentedFile } from './segmented-file.ts';

export interface OutputLayout {
  readonly totalBytes: number;
  /** The most that a part may have; without it the output is one file. */
  readonly partBytes?: number | undefined;
}

/** The output of a wrap, one file or parts, under names that say that it is not complete. */
export class PartialOutput {
  readonly file: SegmentedFile;
  readonly lengths: readonly number[];
  readonly #outputPath: string;
  readonly #isSplit: boolean;
  /** The names that the files get when all is done. */
  readonly #paths: readonly string[];
  readonly #handles: readonly FileHandle[];

  private constructor(
    outputPath: string,
    names: Pick<NamedLayout, 'lengths' | 'paths' | 'isSplit'>,
    handles: readonly FileHandle[],
  ) {
    this.#outputPath = outputPath;
    this.lengths = names.lengths;
    this.#paths = names.paths;
    this.#isSplit = names.isSplit;
    this.#handles = handles;
    this.file = new SegmentedFile(handles, names.lengths);
  }

  /**
   * Opens what an interrupted run has left, or creates it; what does not belong to this layout is removed. Throws system errors, DT_USAGE
   * for too many parts, DT_OUTPUT_FAILED for a name that something else has.
   */
  static async open(outputPath: string, layout: OutputLayout): Promise<PartialOutput> {
    const named = nameFiles(outputPath, layout);
    const { paths, lengths, isSplit } = named;
    for (const path of isSplit ? [...paths, outputPath + CHECKSUM_EXTENSION] : paths) await requireRegularOutput(path);
    if (isSplit) await takeBackParts(outputPath, lengths);
    const handles: FileHandle[] = [];
    try {
      // The first one last: when it is there, all of them are.
      for (const path of paths.toReversed()) handles.unshift(await openOrCreate(path + PARTIAL_EXTENSION));
      await removeOtherPartials(
        outputPath,
        paths.map((path) => path + PARTIAL_EXTENSION),
      );
      return new PartialOutput(outputPath, named, handles);
    } catch (error) {
      await Promise.all(handles.map(async (handle) => handle.close()));
      throw error;
    }
  }

  /** The files that an interrupted run leaves, as messages name them. */
  get name(): string {
    return (this.#paths[0] ?? this.#outputPath) + PARTIAL_EXTENSION;
  }

  /** The parts under their final names; none for one file. */
  get partPaths(): readonly string[] {
    return this.#isSplit ? this.#paths : [];
  }

  /** True if every file is as long as the layout says. */
  async hasLengths(): Promise<boolean> {
    const sizes = await this.#readSizes();
    return sizes.every((size, index) => size === this.lengths[index]);
  }

  /** Makes the files empty. False if they were. */
  async clear(): Promise<boolean> {
    const sizes = await this.#readSizes();
    // An empty file is left alone: ext4 answers a truncation to zero by flushing the whole file when it is closed.
    for (const [index, handle] of this.#handles.entries()) if (sizes[index] !== 0) await handle.truncate(0);
    return sizes.some((size) => size > 0);
  }

  /** Makes every file as long as the layout says. */
  async stretch(): Promise<void> {
    for (const [index, handle] of this.#handles.entries()) await handle.truncate(this.lengths[index]);
  }

  /**
   * Gives the closed files their names. Of a former output under these names nothing stays that could be taken for a piece of this one; returns
   * what was removed and not replaced. `checksums` are those of the parts.
   */
  async publish(checksums: readonly string[]): Promise<readonly string[]> {
    if (!this.#isSplit) {
      await rename(this.#outputPath + PARTIAL_EXTENSION, this.#outputPath);
      return removeFormerParts(this.#outputPath);
    }
    const [first = '', ...others] = this.#paths;
    // Until the first part is in its place nobody takes the others for a wrap, neither these nor the former ones.
    await removeRegularFile(first);
    for (const path of others.toReversed()) await rename(path + PARTIAL_EXTENSION, path);
    const removed = await removeRegularFiles([
      this.#outputPath,
      ...[...(await listParts(this.#outputPath)).values()]
        .map(({ path }) => path)
        .filter((path) => !this.#paths.includes(path)),
    ]);
    const sums = this.#paths.map((path, index) => ({ name: basename(path), sha256: checksums[index] ?? '' }));
    await writeFileAtomically(this.#outputPath + CHECKSUM_EXTENSION, formatChecksums(sums));
    await rename(first + PARTIAL_EXTENSION, first);
    return removed;
  }

  async remove(): Promise<void> {
    for (const path of this.#paths) await rm(path + PARTIAL_EXTENSION, { force: true });
  }

  async #readSizes(): Promise<readonly number[]> {
    return Promise.all(this.#handles.map(async (handle) => (await handle.stat()).size));
  }
}

interface NamedLayout {
  readonly isSplit: boolean;
  readonly lengths: readonly number[];
  readonly paths: readonly string[];
}

function nameFiles(outputPath: string, { totalBytes, partBytes }: OutputLayout): NamedLayout {
  if (partBytes === undefined) return { isSplit: false, lengths: [totalBytes], paths: [outputPath] };
  const lengths = planPartLengths(totalBytes, partBytes);
  return { isSplit: true, lengths, paths: lengths.map((_, index) => partPath(outputPath, index + 1)) };
}

/** Removes the parts that a former run has listed, with their list: beside a whole file they are out of date. */
async function removeFormerParts(outputPath: string): Promise<readonly string[]> {
  const checksums = await readChecksums(outputPath);
  if (checksums === undefined) return [];
  const parts = checksums.map((_, index) => partPath(outputPath, index + 1));
  return removeRegularFiles([...parts, outputPath + CHECKSUM_EXTENSION]);
}

async function removeRegularFiles(paths: readonly string[]): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const path of paths) if (await removeRegularFile(path)) removed.push(path);
  return removed;
}

/** A link under this name is not followed, and a pipe not written to: somebody else may have put it there. */
async function openOrCreate(path: string): Promise<FileHandle> {
  const handle = await openExisting(path);
  if (handle === undefined) return open(path, 'wx+', 0o644);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new DtError('DT_OUTPUT_FAILED', `${path} exists and is not a regular file`);
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}
