/** One challenge of a `WWW-Authenticate` header, parameter names in lower case. */
export interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y;
const MAX_HEADER_LENGTH = 8192;

/**
 * Parses the challenges of a `WWW-Authenticate` header; schemes other than basic and bearer are left out.
 * https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(header: string | undefined): Challenge[] {
  if (header === undefined || header.length > MAX_HEADER_LENGTH) return [];
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const scanner = createScanner(header);
  while (!scanner.isAtEnd()) {
    const word = scanner.readToken();
    if (word === undefined) {
      scanner.skip();
      continue;
    }
    const current = challenges.at(-1);
    if (current !== undefined && scanner.take('=')) {
      current.parameters[word.toLowerCase()] = scanner.readQuoted() ?? scanner.readToken() ?? '';
    } else {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
    }
  }
  return challenges.filter((challenge): challenge is Challenge => /^(?:basic|bearer)$/.test(challenge.scheme));
}

function createScanner(text: string): {
  isAtEnd(): boolean;
  skip(): void;
  take(character: string): boolean;
  readToken(): string | undefined;
  readQuoted(): string | undefined;
} {
  let at = 0;
  const skipBlanks = (): void => {
    while (text[at] === ' ' || text[at] === '\t') at++;
  };
  return {
    isAtEnd: () => at >= text.length,
    skip: () => {
      at++;
    },
    take(character) {
      skipBlanks();
      if (text[at] !== character) return false;
      at++;
      return true;
    },
    readToken() {
      skipBlanks();
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(text);
      if (match === null) return undefined;
      at = TOKEN.lastIndex;
      return match[0];
    },
    readQuoted() {
      skipBlanks();
      if (text[at] !== '"') return undefined;
      let value = '';
      for (at++; at < text.length && text[at] !== '"'; at++) {
        if (text[at] === '\\') at++;
        value += text[at] ?? '';
      }
      at++;
      return value;
    },
  };
}
