import { DtError } from '../../domain/errors.ts';
import { isLinkLocal, isPrivate } from './address-rules.ts';

/**
 * Decides whether a realm may see credentials: https, or plain HTTP only where the registry itself is plain HTTP;
 * never a link-local address, nor a loopback or private one for a registry that is neither. Throws DT_AUTH_DENIED.
 */
export function checkRealm(realm: string | undefined, registryUrl: URL): URL {
  const refuse = (why: string): DtError =>
    new DtError('DT_AUTH_DENIED', `${registryUrl.host} names a token server that is not safe to use: ${why}`);
  if (realm === undefined || !URL.canParse(realm)) throw refuse('its address is not a URL');
  const url = new URL(realm);
  const isPlain = url.protocol === 'http:';
  if (url.protocol !== 'https:' && !isPlain) throw refuse(`${url.protocol} is not http or https`);
  if (isPlain && registryUrl.protocol !== 'http:') throw refuse('plain HTTP for a registry with TLS');
  if (isLinkLocal(url.hostname)) throw refuse('a link-local address');
  if (isPrivate(url.hostname) && !isPrivate(registryUrl.hostname))
    throw refuse('a private address for a public registry');
  return url;
}

/**
 * Decides whether a server may send a request on to another address (a redirect, the Location of an upload). It goes without
 * credentials, so private storage and plain HTTP are fine for content that a digest vouches for; a link-local or metadata
 * address never is, unless the server itself is at one. Throws DT_REGISTRY_ERROR.
 */
export function checkOnwardUrl(target: URL, source: URL): void {
  if (!isLinkLocal(target.hostname) || isLinkLocal(source.hostname)) return;
  throw new DtError(
    'DT_REGISTRY_ERROR',
    `${source.host} sends the request on to ${target.host}, which is not safe to ask: a link-local address`,
  );
}
