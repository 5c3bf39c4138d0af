/** What a word of a command line may be completed to. */
export type Completion =
  /** Whole words. Those that do not begin with what is typed, or that a shell would not read as one word, are not offered. */
  | { readonly kind: 'words'; readonly words: readonly Suggestion[] }
  /** Names of files, which the shell lists and quotes itself: all, or those with such an ending (`tgz`). */
  | { readonly kind: 'files'; readonly extensions?: readonly string[] }
  /** Names of folders, which the shell lists and quotes itself. */
  | { readonly kind: 'folders' };

export interface Suggestion {
  readonly text: string;
  readonly summary?: string;
}

/** A word that every shell takes as it stands, and that is no flag. */
const PLAIN_WORD = /^(?!-)[\p{L}\p{M}\p{N}_@%+=:,./-]+$/u;

export const NOTHING: Completion = { kind: 'words', words: [] };
export const ANY_FILE: Completion = { kind: 'files' };

/** Words of which nothing more is to be said. */
export function toWords(texts: Iterable<string>): Completion {
  return { kind: 'words', words: [...new Set(texts)].map((text) => ({ text })) };
}

/** False for a word that a shell would take for more, or that would have to be quoted. */
export function isPlainWord(text: string): boolean {
  return PLAIN_WORD.test(text);
}
