/**
 * Adds items to the list `manifests` of a JSON object (a missing `null` list is made), changing nothing else: unknown fields,
 * numbers, order and blanks stay as they are, which parsing and writing anew would not promise. The text must be valid JSON with
 * such a list.
 */
export function appendToManifests(text: string, items: readonly unknown[]): string {
  const { start, end } = findManifests(text);
  const added = items.map((item) => JSON.stringify(item)).join(',');
  const list = text.slice(start, end);
  if (!list.startsWith('[')) return `${text.slice(0, start)}[${added}]${text.slice(end)}`;
  const kept = list.slice(0, -1).trimEnd();
  const tail = list.slice(kept.length);
  return `${text.slice(0, start)}${kept}${kept === '[' ? '' : ','}${added}${tail}${text.slice(end)}`;
}

/** Where the value of the key lies. Of several keys of that name the last one counts, as for every parser. */
function findManifests(text: string): { readonly start: number; readonly end: number } {
  let depth = 0;
  let key: string | undefined;
  let valueStart: number | undefined;
  let found: { start: number; end: number } | undefined;
  const endValue = (position: number): void => {
    if (valueStart !== undefined) {
      const value = text.slice(valueStart, position);
      const start = valueStart + (value.length - value.trimStart().length);
      found = { start, end: start + value.trim().length };
    }
    valueStart = undefined;
    key = undefined;
  };
  for (const { token, index } of listTokens(text)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') {
      depth--;
      if (depth === 0) endValue(index);
    } else if (depth === 1) {
      if (token === ',') endValue(index);
      else if (token === ':') valueStart = key === 'manifests' ? index + 1 : undefined;
      else if (key === undefined) key = JSON.parse(token) as string;
    }
  }
  if (found === undefined) throw new TypeError('there is no list of manifests');
  return found;
}

/** Strings as a whole, so that nothing inside them counts, and the characters of the structure. */
function* listTokens(text: string): Generator<{ readonly token: string; readonly index: number }> {
  const pattern = /["{}[\],:]/g;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const { 0: character, index } = match;
    if (character === '"') pattern.lastIndex = findStringEnd(text, index);
    yield { token: text.slice(index, pattern.lastIndex), index };
  }
}

/** Not by a pattern: those for strings with escapes need a stack as deep as the string is long. */
function findStringEnd(text: string, start: number): number {
  let quote = start;
  let backslashes: number;
  do {
    quote = text.indexOf('"', quote + 1);
    backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes++;
  } while (backslashes % 2 === 1);
  return quote + 1;
}
