const MARK = '-f ';

/** The key of a values file that is rendered on top of those of the chart, which may have a file of the same name. */
export function outsideKey(name: string): string {
  return MARK + name;
}

/** The name of the values file from outside that has this key; undefined for a file of the chart. */
export function outsideName(key: string): string | undefined {
  return key.startsWith(MARK) ? key.slice(MARK.length) : undefined;
}
