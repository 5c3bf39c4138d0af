import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { DtError } from '../../domain/errors.ts';
import { isLinkLocal, isPrivate } from './address-rules.ts';

/** Addresses of a name, as many as there are. */
export type LookUp = (hostname: string) => Promise<readonly string[]>;

/**
 * Decides whether a realm may see credentials: https, or plain HTTP only where the registry itself is plain HTTP;
 * never a link-local address, nor a loopback or private one for a registry that is neither by its own address or those of
 * its name. Throws DT_REALM_REFUSED.
 */
export async function checkRealm(
  realm: string | undefined,
  registryUrl: URL,
  lookUp: LookUp = lookUpAddresses,
): Promise<URL> {
  const refuse = (why: string): DtError =>
    new DtError('DT_REALM_REFUSED', `${registryUrl.host} names a token server that is not safe to use: ${why}`);
  if (realm === undefined || !URL.canParse(realm)) throw refuse('its address is not a URL');
  const url = new URL(realm);
  const isPlain = url.protocol === 'http:';
  if (url.protocol !== 'https:' && !isPlain) throw refuse(`${url.protocol} is not http or https`);
  if (isPlain && registryUrl.protocol !== 'http:') throw refuse('plain HTTP for a registry with TLS');
  if (isLinkLocal(url.hostname)) throw refuse('a link-local address');
  if (isPrivate(url.hostname) && !(await isAtPrivateAddress(registryUrl.hostname, lookUp))) {
    throw refuse('a private address for a public registry');
  }
  return url;
}

async function isAtPrivateAddress(hostname: string, lookUp: LookUp): Promise<boolean> {
  if (isPrivate(hostname)) return true;
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return false;
  try {
    const addresses = await lookUp(hostname);
    return addresses.length > 0 && addresses.every((address) => isPrivate(address));
  } catch {
    return false;
  }
}

async function lookUpAddresses(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

/**
 * Decides whether a redirect may leave TLS: only for content that a digest vouches for, or from a server whose certificate
 * nobody looks at. Throws DT_REGISTRY_ERROR.
 */
export function checkDowngrade(target: URL, source: URL, isAllowed: boolean): void {
  if (isAllowed || source.protocol !== 'https:' || target.protocol === 'https:') return;
  throw new DtError(
    'DT_REGISTRY_ERROR',
    `${source.host} sends the request on to ${target.host} without TLS, where anybody could answer`,
    { hints: [`--insecure=${source.host} to take the answer all the same`] },
  );
}

/**
 * Decides whether a server may send a request on to another address (a redirect, the Location of an upload). It goes without
 * credentials, so private storage is fine; a link-local or metadata address never is, unless the server itself is at one.
 * Throws DT_REGISTRY_ERROR.
 */
export function checkOnwardUrl(target: URL, source: URL): void {
  if (!isLinkLocal(target.hostname) || isLinkLocal(source.hostname)) return;
  throw new DtError(
    'DT_REGISTRY_ERROR',
    `${source.host} sends the request on to ${target.host}, which is not safe to ask: a link-local address`,
  );
}

/**
 * Decides whether a layer may be asked for at a URL that an image names: http or https, never a link-local address, nor a
 * private one for a registry at a public address. Throws DT_REGISTRY_ERROR.
 */
export async function checkForeignLayer(
  text: string,
  registryUrl: URL,
  lookUp: LookUp = lookUpAddresses,
): Promise<URL> {
  const refuse = (why: string): DtError =>
    new DtError('DT_REGISTRY_ERROR', `an image names a URL of a layer that is not safe to ask: ${why}`);
  if (!URL.canParse(text)) throw refuse('it is no URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse(`${url.protocol} is not http or https`);
  if (url.username !== '' || url.password !== '') throw refuse('it holds a password');
  if (isLinkLocal(url.hostname)) throw refuse('a link-local address');
  if (isPrivate(url.hostname) && !(await isAtPrivateAddress(registryUrl.hostname, lookUp))) {
    throw refuse('a private address for a public registry');
  }
  return url;
}
