/** Writes and reads marks: short texts that are put in front of a scalar to see where it arrives in a rendering. */
export interface MarkAlphabet {
  /** A part of a repository, a host and a file name alike: lower case letters and digits only. */
  write(index: number): string;
  /** The index of the mark at the start of the text, or undefined. */
  readHead(text: string): number | undefined;
  /** A rendering in which an address behind a mark is a host: a name that ends in a number is none. */
  toHosts(output: string): string;
  /** The text without any mark. */
  strip(text: string): string;
  isIn(text: string): boolean;
}

const LETTERS = ['q', 'qx', 'qxj', 'qxjw', 'qxjwk'];

/** Marks that do not occur in the texts given. */
export function chooseMarks(texts: readonly string[]): MarkAlphabet {
  const letters =
    LETTERS.find(
      (candidate) => !texts.some((text) => new RegExp(`(?:${candidate}\\d+|\\.${candidate})z`).test(text)),
    ) ?? 'qxjwkv';
  const head = new RegExp(`^${letters}(\\d+)z`);
  const address = new RegExp(`(${letters}\\d+z\\d+(?:\\.\\d+){3})(?![\\w.-])`, 'g');
  const hostEnd = `.${letters}z`;
  return {
    write: (index) => `${letters}${String(index)}z`,
    readHead: (text) => {
      const digits = head.exec(text)?.[1];
      return digits === undefined ? undefined : Number(digits);
    },
    toHosts: (output) => output.replaceAll(address, `$1${hostEnd}`),
    strip: (text) => text.replaceAll(hostEnd, '').replaceAll(new RegExp(`${letters}\\d+z`, 'g'), ''),
    isIn: (text) => new RegExp(`${letters}\\d+z`).test(text),
  };
}
