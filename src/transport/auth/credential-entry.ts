import { encodeBasic } from './basic.ts';

/** What a registry is shown: a user with a password, or an identity token (an OAuth2 refresh token). */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly token: string };

/** What an entry of `auths` says: undefined where it is empty, as Docker marks what a helper keeps. */
export type AuthEntryContent = Credential | 'unreadable' | undefined;

/** Reads an entry of `auths`. Fields that have nothing to do with credentials do not matter. */
export function parseAuthEntry(value: unknown): AuthEntryContent {
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) return 'unreadable';
  const { auth, username, password, identitytoken } = value as Record<string, unknown>;
  if (typeof identitytoken === 'string' && identitytoken !== '')
    return { kind: 'identity-token', token: identitytoken };
  if (typeof auth === 'string' && auth !== '') {
    const text = Buffer.from(auth, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon > 0) return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  if (typeof username === 'string' && username !== '' && typeof password === 'string') {
    return { kind: 'basic', username, password };
  }
  const isEmpty = [auth, username, password, identitytoken].every((field) =>
    [undefined, null, ''].includes(field as ''),
  );
  return isEmpty ? undefined : 'unreadable';
}

/** The entry of `auths` that Docker writes for a user and password. */
export function formatAuthEntry(credential: { readonly username: string; readonly password: string }): {
  readonly auth: string;
} {
  return { auth: encodeBasic(credential) };
}
