import { generateKeyPairSync, randomUUID, sign as signBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { basicAuthorization } from './images.ts';
import { TEST_CREDENTIALS, type TokenAuthority } from './registries.ts';

/** What this server takes instead of user and password. */
export const TEST_IDENTITY_TOKEN = 'dt-identity-token';
/** Distribution takes tokens for so much longer than they say: they are made to end earlier. */
const REGISTRY_LEEWAY_SECONDS = 60;
const DEFAULT_LIFETIME_SECONDS = 300;
const KEY_ID = 'test';

export interface TokenServerOptions {
  /** How long the registry takes a token. */
  readonly lifetimeSeconds?: number;
  /** How long the client is told that it does. Default: the truth. A longer time is a token that is revoked. */
  readonly promisedSeconds?: number;
  /** Anybody may pull. */
  readonly allowsAnonymousPull?: boolean;
}

/** A request for a token that came in. */
export interface AskedToken {
  readonly method: string;
  readonly service: string | null;
  readonly scopes: readonly string[];
  readonly user: 'anonymous' | 'user' | 'refused';
}

/** A small token server; a registry that is started with its `authority` checks what it signs by itself. */
export interface TokenServer {
  readonly authority: TokenAuthority;
  readonly asked: readonly AskedToken[];
  /** A token for scopes such as `repository:a/b:pull,push`, without being asked over HTTP; it lives for minutes. */
  issue(scopes: readonly string[]): string;
  close(): Promise<void>;
}

/** Starts a server that answers as https://distribution.github.io/distribution/spec/auth/token/ says. */
export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  const { lifetimeSeconds = DEFAULT_LIFETIME_SECONDS, promisedSeconds = lifetimeSeconds } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [issuer, service] = ['test-issuer', 'test registry'];
  const asked: AskedToken[] = [];

  const sign = (scopes: readonly string[], validSeconds: number): string => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      aud: service,
      sub: TEST_CREDENTIALS.username,
      jti: randomUUID(),
      iat: nowSeconds,
      nbf: nowSeconds - REGISTRY_LEEWAY_SECONDS,
      exp: nowSeconds + validSeconds - REGISTRY_LEEWAY_SECONDS,
      access: scopes.map(parseScope),
    };
    const content = [{ typ: 'JWT', alg: 'ES256', kid: KEY_ID }, claims].map(encodePart).join('.');
    const signature = signBytes('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${content}.${signature.toString('base64url')}`;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request;
    const isPost = method === 'POST';
    const parameters = isPost ? new URLSearchParams(await text(request)) : new URL(url, 'http://x').searchParams;
    const user = isPost ? identify(parameters) : identifyBasic(headers.authorization);
    const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '));
    asked.push({ method, service: parameters.get('service'), scopes, user });
    if (user === 'refused') {
      response.writeHead(401).end('{}');
      return;
    }
    const granted = user === 'user' ? scopes : options.allowsAnonymousPull === true ? scopes.map(onlyPull) : [];
    const token = sign(granted, lifetimeSeconds);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ [isPost ? 'access_token' : 'token']: token, expires_in: promisedSeconds }));
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const realm = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/token`;
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'ES256', use: 'sig' }] };
  return {
    authority: { realm, service, issuer, jwks },
    asked,
    issue: (scopes) => sign(scopes, DEFAULT_LIFETIME_SECONDS),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function identifyBasic(authorization: string | undefined): AskedToken['user'] {
  if (authorization === undefined) return 'anonymous';
  return authorization === basicAuthorization(TEST_CREDENTIALS) ? 'user' : 'refused';
}

function identify(form: URLSearchParams): AskedToken['user'] {
  const isKnown = form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === TEST_IDENTITY_TOKEN;
  return isKnown && form.has('client_id') ? 'user' : 'refused';
}

function onlyPull(scope: string): string {
  const { type, name, actions } = parseScope(scope);
  return `${type}:${name}:${actions.includes('pull') ? 'pull' : ''}`;
}

function parseScope(scope: string): { type: string; name: string; actions: string[] } {
  const [, type = '', name = '', actions = ''] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? [];
  return { type, name, actions: actions.split(',') };
}

function encodePart(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
