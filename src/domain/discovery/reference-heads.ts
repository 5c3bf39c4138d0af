/** The part of a reference in front of its tag and digest. */
export function nameOf(reference: string): string {
  const at = reference.indexOf('@');
  const name = at === -1 ? reference : reference.slice(0, at);
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

/** Everything that a reference can begin with and that can stand alone: its registry, folders, name and the whole of it. */
export function listHeads(reference: string): readonly string[] {
  const heads = new Set<string>();
  for (let offset = 1; offset <= reference.length; offset++) {
    const next = reference[offset];
    if (next === undefined || next === '/' || next === ':' || next === '@') heads.add(reference.slice(0, offset));
    if (next !== undefined && reference[offset - 1] === '/') heads.add(reference.slice(0, offset));
  }
  return [...heads];
}
