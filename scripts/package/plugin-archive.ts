import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { encodeTarHeader, TAR_END_BYTES, tarPaddingBytes } from '../../src/archive/tar-header.ts';

/** Level 9 takes four times as long for half a percent. */
const GZIP_LEVEL = 6;
const GZIP_OS_OFFSET = 9;
/** Otherwise the bytes would depend on the system of the build machine. https://www.rfc-editor.org/rfc/rfc1952#page-7 */
const GZIP_OS_UNKNOWN = 255;
const PROGRAM_MODE = 0o755;
const FILE_MODE = 0o644;

export interface PluginFile {
  /** Without folders: Helm 3 installs an archive with a folder in it only once. */
  readonly name: string;
  readonly content: string | Buffer;
  readonly isProgram?: boolean;
}

export interface PackOptions {
  /** The folder in the archive that holds the files; none for the root. */
  readonly folder?: string;
  readonly mtimeSeconds: number;
}

/** Packs the files of a plugin, in the order of their names and owned by nobody. Equal files give equal bytes. */
export async function packPlugin(files: readonly PluginFile[], { folder, mtimeSeconds }: PackOptions): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const common = { mtimeSeconds };
  if (folder !== undefined) {
    chunks.push(
      encodeTarHeader({ ...common, path: `${folder}/`, type: 'directory', mode: PROGRAM_MODE, sizeBytes: 0 }),
    );
  }
  for (const { name, content, isProgram = false } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const bytes = Buffer.from(content);
    const path = folder === undefined ? name : `${folder}/${name}`;
    const mode = isProgram ? PROGRAM_MODE : FILE_MODE;
    chunks.push(encodeTarHeader({ ...common, path, type: 'file', mode, sizeBytes: bytes.length }), bytes);
    chunks.push(Buffer.alloc(tarPaddingBytes(bytes.length)));
  }
  chunks.push(Buffer.alloc(TAR_END_BYTES));
  const tar = Readable.from(chunks, { objectMode: false });
  const packed = await pipeline(tar, createGzip({ level: GZIP_LEVEL }), async (parts) => buffer(parts));
  packed[GZIP_OS_OFFSET] = GZIP_OS_UNKNOWN;
  return packed;
}
