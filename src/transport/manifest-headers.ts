import { isDigest, type Digest } from '../domain/oci/digest.ts';

/** https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.4 */
export function cacheHeaders(options: {
  readonly bypassesCaches?: boolean | undefined;
}): Readonly<Record<string, string>> {
  return options.bypassesCaches === true ? { 'cache-control': 'no-cache' } : {};
}

/** The value of `Docker-Content-Digest`; undefined if it is missing or no digest. */
export function readDigestHeader(header: string | string[] | undefined): Digest | undefined {
  return typeof header === 'string' && isDigest(header) ? header : undefined;
}

/** The value of `Content-Type` without parameters. */
export function mediaTypeOf(header: string | undefined): string | undefined {
  return header?.split(';')[0]?.trim();
}
