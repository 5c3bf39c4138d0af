import { constants } from 'node:fs';
import { mkdir, open, readdir, realpath, type FileHandle } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { outputErrorCode } from '../domain/error-rules.ts';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';

const ABSENCE_CODES: readonly (string | undefined)[] = ['ENOENT', 'ENOTDIR'];

/** A folder that others may have filled. Links in it count only as long as they stay in it. */
export class ContainedFolder {
  /** As it was given, for messages. */
  readonly path: string;
  readonly #realPath: string;

  private constructor(path: string, realPath: string) {
    this.path = path;
    this.#realPath = realPath;
  }

  /** Undefined if there is no such folder. */
  static async open(path: string): Promise<ContainedFolder | undefined> {
    const realPath = await resolveLinks(path);
    return realPath === undefined ? undefined : new ContainedFolder(path, realPath);
  }

  /** The names in a folder, sorted; none if there is no such folder. Throws DT_UNSAFE_ENTRY, DT_FILE_UNREADABLE. */
  async listNames(path = ''): Promise<string[]> {
    const folder = await this.resolve(path);
    if (folder === undefined) return [];
    try {
      return (await readdir(folder)).sort();
    } catch (error) {
      if (ABSENCE_CODES.includes(systemErrorCode(error))) return [];
      throw new DtError('DT_FILE_UNREADABLE', `cannot read ${join(this.path, path)}: ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }

  /** A regular file to read; undefined if there is none. The caller closes it. Throws DT_UNSAFE_ENTRY, DT_FILE_UNREADABLE. */
  async openFile(path: string): Promise<FileHandle | undefined> {
    const realPath = await this.resolve(path);
    if (realPath === undefined) return undefined;
    try {
      // The last part may have become a link or a pipe since.
      const handle = await open(realPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      if ((await handle.stat()).isFile()) return handle;
      await handle.close();
    } catch (error) {
      if (ABSENCE_CODES.includes(systemErrorCode(error))) return undefined;
      throw new DtError('DT_FILE_UNREADABLE', `cannot read ${join(this.path, path)}: ${errorMessage(error)}`, {
        cause: error,
      });
    }
    throw this.#refuse(path, 'it is not a file');
  }

  /** Makes a folder with those above it, and gives its real path. Throws DT_UNSAFE_ENTRY, DT_OUTPUT_FAILED. */
  async makeFolder(path: string): Promise<string> {
    let made = this.#realPath;
    const parts = path.split('/');
    for (let count = 1; count <= parts.length; count++) {
      const part = parts.slice(0, count).join('/');
      try {
        await mkdir(join(made, parts[count - 1] ?? ''));
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw this.#cannotMake(part, error);
      }
      const realPath = await this.resolve(part);
      // A link whose target is missing.
      if (realPath === undefined) throw this.#refuse(part, 'it is a broken link');
      made = realPath;
    }
    return made;
  }

  /** The real path of what is there; undefined if there is nothing. Throws DT_UNSAFE_ENTRY if links lead out of the folder. */
  async resolve(path: string): Promise<string | undefined> {
    const realPath = await resolveLinks(join(this.#realPath, path));
    if (realPath === undefined) return undefined;
    const fromRoot = relative(this.#realPath, realPath);
    if (fromRoot === '..' || fromRoot.startsWith(`..${sep}`))
      throw this.#refuse(path, 'it is a link out of the folder');
    return realPath;
  }

  #refuse(path: string, why: string): DtError {
    return new DtError('DT_UNSAFE_ENTRY', `${JSON.stringify(path)} in ${this.path} is refused: ${why}`);
  }

  #cannotMake(path: string, error: unknown): DtError {
    const message = `cannot create ${join(this.path, path)}: ${errorMessage(error)}`;
    return new DtError(outputErrorCode(error), message, { cause: error });
  }
}

async function resolveLinks(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (ABSENCE_CODES.includes(code)) return undefined;
    if (code === 'ELOOP') throw new DtError('DT_UNSAFE_ENTRY', `${path} is refused: its links go in a circle`);
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
