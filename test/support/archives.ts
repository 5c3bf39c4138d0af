import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';

export interface ArchiveEntry {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  /** Target of a link. */
  readonly linkName: string | undefined;
  /** Of a hard link: the content of its target. */
  readonly bytes: Buffer;
}

/** All entries of a gzip tar in their order, read without any code of the project. */
export async function readArchive(source: string | Uint8Array): Promise<ArchiveEntry[]> {
  const archive = extract();
  archive.end(gunzipSync(typeof source === 'string' ? await readFile(source) : source));
  const entries: ArchiveEntry[] = [];
  const byName = new Map<string, Buffer>();
  for await (const entry of archive) {
    const { name, type, mode, linkname } = entry.header;
    const own = await buffer(entry);
    const bytes = type === 'link' ? byName.get(linkname) : own;
    if (bytes === undefined) throw new Error(`${name} links to ${linkname}, which did not come before`);
    const path = name.replace(/\/$/, '');
    byName.set(path, bytes);
    entries.push({ name: path, type, mode, linkName: type.endsWith('link') ? linkname : undefined, bytes });
  }
  return entries;
}

/** Files by their path without the top folder, hard links with the content of their target. */
export async function readArchiveFiles(source: string | Uint8Array): Promise<Map<string, Buffer>> {
  const entries = await readArchive(source);
  return new Map(
    entries
      .filter(({ type }) => type === 'file' || type === 'link')
      .map(({ name, bytes }) => [name.split('/').slice(1).join('/'), bytes]),
  );
}

/** A gzip tar of files. */
export async function packArchive(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) {
    archive.entry({ name, mtime: new Date(0) }, typeof content === 'string' ? content : Buffer.from(content));
  }
  archive.finalize();
  return gzipSync(await buffer(archive));
}
