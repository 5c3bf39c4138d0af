import type { Exchange } from './exchange.ts';

/** Decides whether a user may use the registry. */
export type CredentialCheck = (username: string, password: string) => boolean | Promise<boolean>;

/** True if the request may pass; otherwise a 401 with a Basic challenge has been sent. */
export async function checkBasicAuth(exchange: Exchange, check: CredentialCheck): Promise<boolean> {
  const credentials = parseBasicAuth(exchange.request.headers.authorization);
  if (credentials !== undefined && (await check(credentials.username, credentials.password))) return true;
  exchange.fail('UNAUTHORIZED', 'authentication is required', {
    headers: { 'WWW-Authenticate': 'Basic realm="registry", charset="UTF-8"' },
  });
  return false;
}

/** https://www.rfc-editor.org/rfc/rfc7617#section-2 */
function parseBasicAuth(header: string | undefined): { username: string; password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
