import { DtError } from '../domain/errors.ts';
import { checkOnwardUrl } from './connections/foreign-url-rules.ts';
import type { HttpResponse } from './http/http-message.ts';

/** Where the next request of an upload goes. Throws DT_REGISTRY_ERROR for a place without TLS when the registry has it, and for a link-local one. */
export function uploadLocation(response: HttpResponse, registry: string): URL {
  const header = response.headers.location;
  if (header === undefined || !URL.canParse(header, response.url)) {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} opened an upload without saying where to send it`);
  }
  const location = new URL(header, response.url);
  if (!/^https?:$/.test(location.protocol)) {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} wants an upload over ${location.protocol} instead of HTTP`);
  }
  if (location.protocol === 'http:' && response.url.protocol === 'https:') {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} wants an upload over plain HTTP although it speaks TLS`);
  }
  checkOnwardUrl(location, response.url);
  return location;
}

/**
 * The number of bytes that an upload has, as the `Range` header of an answer says; some registries put `bytes=` in front.
 * `0-0` stands for an upload without any byte as well as for one byte, so it counts as none.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export function acceptedEnd({ headers }: Pick<HttpResponse, 'headers'>): number | undefined {
  const last = /^(?:bytes[= ])?0-([0-9]{1,16})$/.exec(headers.range ?? '')?.[1];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}
