import { isIP } from 'node:net';
import { DtError } from '../domain/errors.ts';
import type { Challenge } from './challenge.ts';
import type { Credential } from './credentials.ts';
import type { HttpClient } from './http.ts';

/** Where clouds hand out credentials of machines beside 169.254.169.254. */
const METADATA_HOSTS: ReadonlySet<string> = new Set(['fd00:ec2::254', 'metadata.google.internal', '100.100.100.200']);
/** What can stand in a header. */
const TOKEN_PATTERN = /^[!-~]+$/;
const DEFAULT_LIFETIME_SECONDS = 60;
/** A token is renewed this long before it ends. */
const RENEWAL_MARGIN_SECONDS = 10;

export interface Token {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export interface TokenRequest {
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  readonly registryUrl: URL;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Exchanges a bearer challenge for a token: GET with basic credentials, or the OAuth2 POST for identity tokens.
 * https://distribution.github.io/distribution/spec/auth/token/
 */
export async function fetchToken(http: HttpClient, request: TokenRequest): Promise<Token> {
  const { challenge, scopes, credential, signal } = request;
  const realm = checkRealm(challenge.parameters['realm'], request.registryUrl);
  const service = challenge.parameters['service'];
  const response =
    credential?.kind === 'identity-token'
      ? await http.send({
          method: 'POST',
          url: realm,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: Buffer.from(
            new URLSearchParams({
              grant_type: 'refresh_token',
              refresh_token: credential.token,
              client_id: 'helm-dt',
              scope: scopes.join(' '),
              ...(service === undefined ? {} : { service }),
            }).toString(),
          ),
          signal,
        })
      : await http.send({
          method: 'GET',
          url: tokenUrl(realm, service, scopes),
          headers: credential === undefined ? {} : { authorization: formatBasic(credential) },
          signal,
        });
  if (response.status >= 500 || [408, 425, 429].includes(response.status)) {
    throw new DtError(
      'DT_REGISTRY_ERROR',
      `the token server ${realm.host} cannot answer for ${request.registryUrl.host} (${String(response.status)})`,
    );
  }
  if (response.status !== 200) {
    throw new DtError(
      'DT_AUTH_DENIED',
      `the token server ${realm.host} refused access to ${request.registryUrl.host} (${String(response.status)})`,
      {
        detail:
          credential === undefined
            ? `No credentials were found for ${request.registryUrl.host}.`
            : 'The credentials were refused.',
        hints: [`helm registry login ${request.registryUrl.host}`],
      },
    );
  }
  return readToken(response.body, realm.host);
}

/** The value of an Authorization header for basic authentication. */
export function formatBasic(credential: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

function tokenUrl(realm: URL, service: string | undefined, scopes: readonly string[]): URL {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  return url;
}

function readToken(body: Buffer, host: string): Token {
  let document: Record<string, unknown> | null;
  try {
    document = JSON.parse(body.toString('utf8')) as Record<string, unknown> | null;
  } catch (error) {
    throw new DtError('DT_REGISTRY_ERROR', `the token server ${host} did not answer with JSON`, { cause: error });
  }
  const value = document?.['token'] ?? document?.['access_token'];
  if (typeof value !== 'string' || !TOKEN_PATTERN.test(value)) {
    throw new DtError('DT_REGISTRY_ERROR', `the token server ${host} gave no token`);
  }
  const lifetime = document?.['expires_in'];
  const seconds = typeof lifetime === 'number' && lifetime > 0 ? lifetime : DEFAULT_LIFETIME_SECONDS;
  return { value, expiresAtMs: Date.now() + Math.max(seconds - RENEWAL_MARGIN_SECONDS, 1) * 1000 };
}

/**
 * Decides whether a realm may see credentials: https, or plain HTTP only where the registry itself is plain HTTP;
 * never a link-local address, nor a loopback or private one for a registry that is neither.
 */
function checkRealm(realm: string | undefined, registryUrl: URL): URL {
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

/** The bare address of a host of a URL: no brackets, no final dot, an IPv4 address that is mapped into IPv6 as itself. */
function bareAddress(host: string): string {
  const address = host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (mapped === null) return address;
  const bits = Number.parseInt(mapped[1] ?? '', 16) * 0x10000 + Number.parseInt(mapped[2] ?? '', 16);
  return [24, 16, 8, 0].map((shift) => String(Math.floor(bits / 2 ** shift) % 256)).join('.');
}

function isLinkLocal(host: string): boolean {
  const address = bareAddress(host);
  return (
    address.startsWith('169.254.') ||
    /^fe[89ab]/.test(isIP(address) === 6 ? address : '') ||
    METADATA_HOSTS.has(address)
  );
}

/** True for loopback and private addresses and the names that stand for them. */
export function isPrivate(host: string): boolean {
  const address = bareAddress(host);
  if (isLoopback(address)) return true;
  if (isIP(address) === 4) return /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.)/.test(address);
  return isIP(address) === 6 && /^f[cd]/.test(address);
}

/** True for `localhost`, names below it, 127.0.0.0/8, ::1 and the unspecified addresses, which lead to the same machine. */
export function isLoopback(host: string): boolean {
  const address = bareAddress(host);
  if (address === 'localhost' || address.endsWith('.localhost')) return true;
  return ['::1', '::', '0.0.0.0'].includes(address) || (isIP(address) === 4 && address.startsWith('127.'));
}
