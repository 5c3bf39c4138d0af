import { DOCKER_HUB_REGISTRY } from '../domain/oci/reference.ts';
import { isLoopback } from './connections/address-rules.ts';
import { isTlsProtocolError } from './http/http-errors.ts';
import type { HttpClient } from './http/http-client.ts';

const DOCKER_HUB_API_HOST = 'registry-1.docker.io';

export interface SchemeRules {
  readonly http: HttpClient;
  /** Speak plain HTTP to this registry from the start. */
  readonly usePlainHttp: boolean;
  /** Fall back to plain HTTP when the registry speaks no TLS; always the case for loopback. */
  readonly allowPlainHttp: boolean;
}

/** The URL below which `/v2/` of a registry lies. Asks the registry only where both schemes are possible, once. */
export async function detectBaseUrl(
  registry: string,
  { http, usePlainHttp, allowPlainHttp }: SchemeRules,
  signal: AbortSignal | undefined,
): Promise<URL> {
  const host = registry === DOCKER_HUB_REGISTRY ? DOCKER_HUB_API_HOST : registry;
  const [secure, plain] = [new URL(`https://${host}/`), new URL(`http://${host}/`)];
  if (usePlainHttp) return plain;
  const speaks = async (base: URL): Promise<boolean> => {
    const { status } = await http.send({ method: 'GET', url: new URL('v2/', base), signal, isSingleTry: true });
    return base === secure || status !== 400;
  };
  // Nothing secret is in a question without TLS, and loopback has no listeners.
  if (isLoopback(secure.hostname)) return firstThatSpeaks(plain, secure, speaks);
  return allowPlainHttp ? firstThatSpeaks(secure, plain, speaks) : secure;
}

/**
 * A server with TLS cuts a plain request off or answers 400, one without it breaks the TLS greeting off. One that cuts
 * everything off is reported as that, not as one with broken TLS.
 */
async function firstThatSpeaks(first: URL, second: URL, speaks: (base: URL) => Promise<boolean>): Promise<URL> {
  let firstError: unknown;
  try {
    if (await speaks(first)) return first;
  } catch (error) {
    if (!isTlsProtocolError(error)) throw error;
    firstError = error;
  }
  try {
    await speaks(second);
    return second;
  } catch (error) {
    throw firstError !== undefined && isTlsProtocolError(error) ? firstError : error;
  }
}
