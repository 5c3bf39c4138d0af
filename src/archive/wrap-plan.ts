import type { Digest } from '../domain/oci/digest.ts';
import { WRAP_TOC_PATH } from '../domain/wrap/wrap-document.ts';
import { formatTableOfContents, type TocMember } from '../domain/wrap/table-of-contents.ts';
import {
  MAX_LAST_MEMBER_BYTES,
  MAX_SMALL_ENTRIES,
  MAX_SMALL_ENTRIES_BYTES,
  requireWithinLimit,
} from '../domain/wrap/wrap-limits.ts';
import { checkEntryPath } from './entry-path.ts';
import { deflateMember, formatFooter, storedMemberLength } from './gzip-member.ts';
import { encodeTarHeader, tarPaddingBytes, type NewTarEntry } from './tar-header.ts';

/** Entries of at least this size are members of their own, smaller ones share deflated members. */
export const LARGE_ENTRY_BYTES = 64 * 1024;
/** What a deflated member holds at most, before compression. */
export const MAX_SMALL_MEMBER_BYTES = 1024 * 1024;

/** An entry of the wrap. The bytes of a `blob` come later, all others are known. */
export type WrapEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly path: string; readonly digest: Digest; readonly sizeBytes: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** A deflated member, ready to be written. */
export interface SmallMember {
  readonly kind: 'small';
  readonly offset: number;
  readonly bytes: Buffer;
}

/** A stored member: one large entry. */
export interface LargeMember {
  readonly kind: 'large';
  readonly offset: number;
  readonly length: number;
  readonly path: string;
  readonly tarHeader: Buffer;
  readonly sizeBytes: number;
  /** The bytes themselves, or the blob that they are. */
  readonly content: Uint8Array | Digest;
}

/** Where every byte of the wrap file goes, before the first blob has arrived. */
export interface WrapPlan {
  readonly members: readonly (SmallMember | LargeMember)[];
  /** The whole length of the file. */
  readonly totalBytes: number;
}

/** A petabyte; sizes beyond it come from manifests that lie. */
const MAX_WRAP_BYTES = 2 ** 50;
const BLOB_MODE = 0o644;
const END_OF_ARCHIVE = Buffer.alloc(1024);

/**
 * Lays out a wrap file. Entries keep their order, so large blobs and links come last in `entries`; the table of
 * contents and the footer are added. `topFolder` is the folder that `.dt/` lies in. Throws DT_LIMIT_EXCEEDED and DT_UNSAFE_ENTRY
 * for what a `WrapReader` would refuse.
 */
export function planWrap(entries: readonly WrapEntry[], topFolder: string, mtimeSeconds: number): WrapPlan {
  const layout = new MemberLayout(topFolder, mtimeSeconds);
  for (const entry of entries) if (entry.kind !== 'link') layout.add(entry);
  const tocOffset = layout.beginLastMember();
  for (const entry of entries) if (entry.kind === 'link') layout.addHeaderOnly(entry);
  const toc = formatTableOfContents({ members: layout.members.map(toTocMember) });
  layout.addSmallFile({ path: `${topFolder}/${WRAP_TOC_PATH}`, mode: BLOB_MODE, bytes: toc });
  layout.finish(tocOffset);
  requireWithinLimit(layout.offset, MAX_WRAP_BYTES, topFolder, 'bytes');
  return { members: layout.members, totalBytes: layout.offset };
}

class MemberLayout {
  readonly members: (SmallMember | LargeMember)[] = [];
  offset = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #isLast = false;
  #smallEntries = 0;
  #smallBytes = 0;
  readonly #name: string;
  readonly #mtimeSeconds: number;

  /** `name` is what messages call the wrap. */
  constructor(name: string, mtimeSeconds: number) {
    this.#name = name;
    this.#mtimeSeconds = mtimeSeconds;
  }

  add(entry: Exclude<WrapEntry, { kind: 'link' }>): void {
    if (entry.kind === 'directory') this.addHeaderOnly(entry);
    else if (entry.kind === 'blob') this.#addLarge(entry.path, BLOB_MODE, entry.sizeBytes, entry.digest);
    else if (entry.bytes.length >= LARGE_ENTRY_BYTES) {
      this.#addLarge(entry.path, entry.mode, entry.bytes.length, entry.bytes);
    } else this.addSmallFile(entry);
  }

  addHeaderOnly(entry: Extract<WrapEntry, { kind: 'directory' | 'link' }>): void {
    const { path, kind: type } = entry;
    const isLink = entry.kind === 'link';
    const mode = isLink ? BLOB_MODE : entry.mode;
    this.#push(this.#header({ path, type, mode, sizeBytes: 0, ...(isLink ? { linkTarget: entry.target } : {}) }));
  }

  addSmallFile(entry: { readonly path: string; readonly mode: number; readonly bytes: Uint8Array }): void {
    const { path, mode, bytes } = entry;
    const header = this.#header({ path, type: 'file', mode, sizeBytes: bytes.length });
    this.#push(header, bytes, Buffer.alloc(tarPaddingBytes(bytes.length)));
  }

  /** Closes the deflated member that is being filled. */
  flush(): void {
    if (this.#pendingBytes === 0) return;
    const bytes = deflateMember(Buffer.concat(this.#pending));
    this.members.push({ kind: 'small', offset: this.offset, bytes });
    this.offset += bytes.length;
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  /** Everything from here on goes into one member, however much it is. Returns where that member starts. */
  beginLastMember(): number {
    this.flush();
    this.#isLast = true;
    return this.offset;
  }

  /** Ends the archive and adds the footer. */
  finish(tocOffset: number): void {
    const content = Buffer.concat([...this.#pending, END_OF_ARCHIVE]);
    this.#requireLast(content.length);
    const last = deflateMember(content);
    this.#requireLast(last.length);
    const bytes = Buffer.concat([last, formatFooter(tocOffset)]);
    this.members.push({ kind: 'small', offset: this.offset, bytes });
    this.offset += bytes.length;
  }

  #addLarge(path: string, mode: number, sizeBytes: number, content: Uint8Array | Digest): void {
    this.flush();
    const tarHeader = this.#header({ path, type: 'file', mode, sizeBytes });
    const length = storedMemberLength(tarHeader.length + sizeBytes + tarPaddingBytes(sizeBytes));
    this.members.push({ kind: 'large', offset: this.offset, length, path, tarHeader, sizeBytes, content });
    this.offset += length;
  }

  #push(...parts: Uint8Array[]): void {
    const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (this.#isLast) this.#requireLast(this.#pendingBytes + sizeBytes);
    else {
      this.#countSmall(sizeBytes);
      if (this.#pendingBytes + sizeBytes > MAX_SMALL_MEMBER_BYTES) this.flush();
    }
    this.#pending.push(...parts);
    this.#pendingBytes += sizeBytes;
  }

  #requireLast(sizeBytes: number): void {
    requireWithinLimit(sizeBytes, MAX_LAST_MEMBER_BYTES, this.#name, 'bytes of links and table of contents');
  }

  #countSmall(sizeBytes: number): void {
    this.#smallEntries++;
    requireWithinLimit(this.#smallEntries, MAX_SMALL_ENTRIES, this.#name, 'small entries');
    this.#smallBytes += sizeBytes;
    requireWithinLimit(this.#smallBytes, MAX_SMALL_ENTRIES_BYTES, this.#name, 'bytes of small entries');
  }

  #header(entry: Omit<NewTarEntry, 'mtimeSeconds'>): Buffer {
    checkEntryPath(entry.path);
    return encodeTarHeader({ ...entry, mtimeSeconds: this.#mtimeSeconds });
  }
}

function toTocMember(member: SmallMember | LargeMember): TocMember {
  return member.kind === 'small'
    ? { offset: member.offset, length: member.bytes.length }
    : { offset: member.offset, length: member.length, path: member.path };
}
