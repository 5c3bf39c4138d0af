import { DtError } from '../../domain/errors.ts';
import type { Challenge } from './challenge.ts';
import type { Credential } from './credential-entry.ts';
import { formatBasic } from './basic.ts';
import { checkRealm } from '../connections/foreign-url-rules.ts';
import type { HttpClient } from '../http/http-client.ts';
import { isTransientStatus } from '../http/retry.ts';

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
  const realm = await checkRealm(challenge.parameters['realm'], request.registryUrl);
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
  if (response.status >= 500 || isTransientStatus(response.status)) {
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
        hints: [`{bin} auth login ${request.registryUrl.host}`],
      },
    );
  }
  return readToken(response.body, realm.host);
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
