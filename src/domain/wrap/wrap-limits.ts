import { DtError } from '../errors.ts';

/*
 * The limits of the wrap format. Whoever reads a wrap refuses more, so whoever writes one refuses it first: nobody is to
 * find out where there is no internet.
 */

/** Entries of deflated members, whose paths are held in memory: more than four thousand images of three platforms have. */
export const MAX_SMALL_ENTRIES = 100_000;
/** What all deflated members but the last one hold: each of them is gone through before anything is pushed. */
export const MAX_SMALL_ENTRIES_BYTES = 256 * 1024 * 1024;
/** What the last member (links and table of contents) holds, and its length in the file. */
export const MAX_LAST_MEMBER_BYTES = 64 * 1024 * 1024;
/** `.dt/toc.json`: some forty thousand large entries. */
export const MAX_TOC_BYTES = 8 * 1024 * 1024;
/** `.dt/wrap.json`, and `.dt/discovery.json`: some forty thousand blobs, or ten thousand images that are only named, of several charts. */
export const MAX_WRAP_DOCUMENT_BYTES = 16 * 1024 * 1024;
/** What separates values in such a document. Every value takes several times its text in memory. */
export const MAX_WRAP_DOCUMENT_MARKS = 1_000_000;
/** Attached to one image or chart. */
export const MAX_ATTACHED_ARTIFACTS = 10_000;
/** The manifests of all images and of what is attached to them, counted for each image that is another one; they are held in memory. */
export const MAX_WRAP_MANIFESTS_BYTES = 64 * 1024 * 1024;
/** What a delta may add to. */
export const MAX_BASES = 100;
/** Repositories that are kept of all those that have a blob which a delta leaves out: one of them is enough. */
export const MAX_BASE_PLACES = 16;

/** Throws DT_LIMIT_EXCEEDED if a wrap would have more of something than any reader takes. `what` is for instance "small entries". */
export function requireWithinLimit(count: number, limit: number, wrapName: string, what: string): void {
  if (count <= limit) return;
  throw new DtError(
    'DT_LIMIT_EXCEEDED',
    `${wrapName} has more than ${String(limit)} ${what}, which is the limit of a wrap`,
  );
}
