interface UserAndPassword {
  readonly username: string;
  readonly password: string;
}

/** User and password in one word. https://www.rfc-editor.org/rfc/rfc7617#section-2 */
export function encodeBasic({ username, password }: UserAndPassword): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

/** The value of an Authorization header for basic authentication. */
export function formatBasic(credential: UserAndPassword): string {
  return `Basic ${encodeBasic(credential)}`;
}
