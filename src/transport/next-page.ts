/**
 * The next page of a list that comes in pages, always on the host that was asked: behind a proxy some registries name themselves
 * wrongly. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export function nextPage(link: string | string[] | undefined, base: URL): URL | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(link ?? ''))?.[1];
  if (target === undefined || !URL.canParse(target, base)) return undefined;
  const { pathname, search } = new URL(target, base);
  return new URL(pathname + search, base);
}
