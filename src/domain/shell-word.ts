const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** The text as one word of a POSIX shell, quoted only where it has to be. */
export function quoteShellWord(text: string): string {
  return PLAIN_WORD.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
