import { gunzipSync, gzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { buffer } from 'node:stream/consumers';
import {
  deflateMember,
  FOOTER_BYTES,
  formatFooter,
  parseFooter,
  storedContentBytes,
} from '../../src/archive/gzip-member.ts';
import { piece, storedMember, tarOf, type WrapPiece } from './hostile-wraps.ts';

const END_OF_ARCHIVE = Buffer.alloc(1024);

export interface WrapMember {
  readonly bytes: Buffer;
  /** The one large entry in it. */
  readonly path?: string;
}

/** A wrap with a table of contents, in its members. */
export interface TakenWrap {
  readonly topFolder: string;
  readonly members: readonly WrapMember[];
  /** What the last member holds but for the table of contents. */
  readonly links: readonly WrapPiece[];
}

/** Takes one of our own wraps apart. */
export async function takeMembers(wrap: Buffer): Promise<TakenWrap> {
  const footerOffset = wrap.length - FOOTER_BYTES;
  const tocOffset = parseFooter(wrap.subarray(footerOffset));
  if (tocOffset === undefined) throw new Error('a wrap without footer');
  const archive = extract();
  archive.end(gunzipSync(wrap.subarray(tocOffset, footerOffset)));
  const links: WrapPiece[] = [];
  for await (const entry of archive) {
    const { name, type, linkname } = entry.header;
    links.push({ header: { name, type, ...(type === 'link' ? { linkname } : {}) }, content: await buffer(entry) });
  }
  const toc = links.pop();
  const topFolder = toc?.header.name.split('/')[0] ?? '';
  const listed = JSON.parse(String(toc?.content)) as { members: [number, number, string?][] };
  const members = listed.members.map(([offset, length, path]) => ({
    bytes: wrap.subarray(offset, offset + length),
    ...(path === undefined ? {} : { path }),
  }));
  return { topFolder, members, links };
}

export interface JoinOptions {
  /** What the table of contents lists; default: the members as they are. */
  readonly listed?: readonly WrapMember[];
  /** Lies about the table of contents. */
  readonly editToc?: (members: unknown) => unknown;
  /** Tar entries behind the links. */
  readonly moreLinks?: Buffer;
  /** Bytes between the members and the last one. */
  readonly tocOffset?: (offset: number) => number;
}

/** Puts members together again. */
export async function joinMembers(
  { topFolder, members, links }: TakenWrap,
  { listed = members, editToc, moreLinks = Buffer.alloc(0), tocOffset }: JoinOptions = {},
): Promise<Buffer> {
  let offset = 0;
  const entries = listed.map(({ bytes, path }) => {
    const at = offset;
    offset += bytes.length;
    return path === undefined ? [at, bytes.length] : [at, bytes.length, path];
  });
  const toc = piece(`${topFolder}/.dt/toc.json`, JSON.stringify({ members: editToc?.(entries) ?? entries }));
  const last = deflateMember(Buffer.concat([await tarOf(links), moreLinks, await tarOf([toc]), END_OF_ARCHIVE]));
  const end = members.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return Buffer.concat([...members.map(({ bytes }) => bytes), last, formatFooter(tocOffset?.(end) ?? end)]);
}

/** The content of a member changed, and framed again as it was. */
export function editMember({ bytes, path }: WrapMember, edit: (content: Buffer) => Buffer): WrapMember {
  const content = edit(gunzipSync(bytes));
  const framed =
    path !== undefined && storedContentBytes(bytes.length) !== undefined ? storedMember(content) : gzipSync(content);
  return { bytes: path === undefined ? deflateMember(content) : framed, ...(path === undefined ? {} : { path }) };
}
