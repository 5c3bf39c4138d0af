import { MAX_PAGE_ENTRIES } from './limits.ts';

export interface Page {
  readonly entries: readonly string[];
  /** The value of `Link` that leads to the next page. */
  readonly link?: string;
}

/**
 * Cuts the page that `n` and `last` ask for out of a listing, sorted by code point. Undefined when `n` is not a number.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export function cutPage(entries: readonly string[], query: URLSearchParams, path: string): Page | undefined {
  const last = query.get('last');
  const n = query.get('n');
  if (n !== null && !/^\d{1,9}$/.test(n)) return undefined;
  const sorted = entries.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const rest = last === null ? sorted : sorted.filter((entry) => entry > last);
  if (n === null) return { entries: rest };
  const limit = Math.min(Number(n), MAX_PAGE_ENTRIES);
  const page = rest.slice(0, limit);
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return { entries: page };
  const next = new URLSearchParams({ last: end, n: String(limit) });
  return { entries: page, link: `<${path}?${next.toString()}>; rel="next"` };
}
