import type { Readable } from 'node:stream';
import type { DtError } from '../domain/errors.ts';
import { DOCKER_HUB_REGISTRY } from '../domain/oci/reference.ts';
import { wordBodyErrors } from './body-errors.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Credential, CredentialSource } from './credentials.ts';
import type { HttpClient, HttpRequest, HttpResponse, HttpStreamResponse } from './http.ts';
import { isTlsProtocolError } from './http-errors.ts';
import { toRegistryError } from './registry-error.ts';
import { retryTransient, type RetryPolicy } from './retry.ts';
import { fetchToken, formatBasic, isLoopback, type Token } from './token.ts';

const DOCKER_HUB_API_HOST = 'registry-1.docker.io';

export interface RegistryClientOptions {
  readonly http: HttpClient;
  readonly credentials: CredentialSource;
  /** Speak plain HTTP to this registry from the start. */
  readonly usePlainHttp: boolean;
  /** Fall back to plain HTTP when the registry speaks no TLS; always the case for loopback. */
  readonly allowPlainHttp: boolean;
}

export type RepositoryAction = 'pull' | 'push';

export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Below `/v2/REPOSITORY/`, or an absolute URL that the registry itself gave (an upload's Location). */
  readonly path: string | URL;
  readonly repository: string;
  readonly action: RepositoryAction;
  /** Another repository that must be readable: the source of a mount. */
  readonly alsoPull?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** A function opens the bytes anew for each try; it needs a `content-length` header. */
  readonly body?: Uint8Array | (() => Promise<Readable>) | undefined;
  /** Statuses that are answers and not failures. */
  readonly expect: readonly number[];
  /** What messages call the thing asked for. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  readonly limitBytes?: number;
}

/**
 * One registry: finds its scheme, answers its challenges (anonymous first), keeps its tokens, words its errors.
 * Credentials go to the registry's own origin and its token server only.
 */
export class RegistryClient {
  readonly registry: string;
  readonly #options: RegistryClientOptions;
  #baseUrl: Promise<URL> | undefined;
  #challenge: Challenge | undefined;
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(registry: string, options: RegistryClientOptions) {
    this.registry = registry;
    this.#options = options;
  }

  /** True if the registry is spoken to without TLS. */
  async usesPlainHttp(signal?: AbortSignal): Promise<boolean> {
    return (await this.#findBaseUrl(signal)).protocol === 'http:';
  }

  get retryPolicy(): RetryPolicy {
    return this.#options.http.retryPolicy;
  }

  /** Sends a request and reads the whole answer. */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    const response = await this.#exchange(request, (raw) => this.#options.http.send(raw, request.limitBytes));
    if (!request.expect.includes(response.status)) throw await this.#toError(request, response);
    return response;
  }

  /** Sends a request and hands out the body as a stream. */
  async stream(request: RegistryRequest): Promise<HttpStreamResponse> {
    const response = await this.#exchange(request, async (raw) => {
      const answer = await this.#options.http.stream(raw);
      return { ...answer, body: wordBodyErrors(answer.body, raw) };
    });
    if (!request.expect.includes(response.status)) {
      response.body.destroy();
      throw await this.#toError(request, { status: response.status, body: Buffer.alloc(0) });
    }
    return response;
  }

  async #exchange<T extends HttpResponse | HttpStreamResponse>(
    request: RegistryRequest,
    perform: (raw: HttpRequest) => Promise<T>,
  ): Promise<T> {
    const base = await this.#findBaseUrl(request.signal);
    const url = request.path instanceof URL ? request.path : new URL(`v2/${request.repository}/${request.path}`, base);
    const isForeign = url.origin !== base.origin;
    const attempt = async (authorization: string | undefined): Promise<T> => {
      const body = typeof request.body === 'function' ? await request.body() : request.body;
      try {
        return await perform({
          method: request.method,
          url,
          headers: { ...request.headers, ...(authorization === undefined || isForeign ? {} : { authorization }) },
          body,
          signal: request.signal,
        });
      } finally {
        if (body !== undefined && 'destroy' in body) body.destroy();
      }
    };

    const first = await attempt(await this.#authorize(request, base));
    if (first.status !== 401 || isForeign) return first;
    const header = first.headers['www-authenticate'];
    const challenge = await this.#chooseChallenge(parseChallenges(header), request);
    if (challenge === undefined) return first;
    this.#challenge = challenge;
    this.#tokens.delete(scopeKey(request));
    const authorization = await this.#authorize(request, base);
    if (authorization === undefined) return first;
    if (!Buffer.isBuffer(first.body)) first.body.destroy();
    return attempt(authorization);
  }

  /** Bearer wins where both are offered; basic is an answer only when there is something to say. */
  async #chooseChallenge(challenges: readonly Challenge[], request: RegistryRequest): Promise<Challenge | undefined> {
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
    if (bearer !== undefined) return bearer;
    const basic = challenges.find((challenge) => challenge.scheme === 'basic');
    return basic !== undefined && (await this.#findCredential(request)) !== undefined ? basic : undefined;
  }

  async #authorize(request: RegistryRequest, base: URL): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') {
      const credential = await this.#findCredential(request);
      return credential?.kind === 'basic' ? formatBasic(credential) : undefined;
    }
    const key = scopeKey(request);
    let token = await this.#tokens.get(key);
    if (token === undefined || token.expiresAtMs <= Date.now()) {
      const pending = this.#requestToken(request, challenge, base);
      this.#tokens.set(key, pending);
      pending.catch(() => this.#tokens.delete(key));
      token = await pending;
    }
    return `Bearer ${token.value}`;
  }

  async #requestToken(request: RegistryRequest, challenge: Challenge, base: URL): Promise<Token> {
    return fetchToken(this.#options.http, {
      challenge,
      scopes: requestScopes(request),
      credential: await this.#findCredential(request),
      registryUrl: base,
    });
  }

  async #findCredential(request: RegistryRequest): Promise<Credential | undefined> {
    return this.#options.credentials(this.registry, request.repository);
  }

  async #toError(request: RegistryRequest, response: Pick<HttpResponse, 'status' | 'body'>): Promise<DtError> {
    const context = {
      method: request.method,
      registry: this.registry,
      repository: request.repository,
      what: request.what,
    };
    return toRegistryError(context, response, (await this.#findCredential(request)) !== undefined);
  }

  #findBaseUrl(signal: AbortSignal | undefined): Promise<URL> {
    if (this.#baseUrl === undefined) {
      const pending = retryTransient(this.retryPolicy, signal, async () => this.#detectScheme(signal));
      pending.catch(() => {
        this.#baseUrl = undefined;
      });
      this.#baseUrl = pending;
    }
    return this.#baseUrl;
  }

  async #detectScheme(signal: AbortSignal | undefined): Promise<URL> {
    const host = this.registry === DOCKER_HUB_REGISTRY ? DOCKER_HUB_API_HOST : this.registry;
    const [secure, plain] = [new URL(`https://${host}/`), new URL(`http://${host}/`)];
    if (this.#options.usePlainHttp) return plain;
    if (isLoopback(secure.hostname)) return this.#detectLoopbackScheme(secure, plain, signal);
    if (!this.#options.allowPlainHttp) return secure;
    try {
      await this.#ping(secure, signal);
      return secure;
    } catch (error) {
      if (isTlsProtocolError(error)) return plain;
      throw error;
    }
  }

  /**
   * A server with TLS cuts a plain request off or answers 400. Nothing secret is in it, and loopback has no listeners. One
   * that cuts everything off is reported as that, not as one with broken TLS.
   */
  async #detectLoopbackScheme(secure: URL, plain: URL, signal: AbortSignal | undefined): Promise<URL> {
    try {
      return (await this.#ping(plain, signal)).status === 400 ? secure : plain;
    } catch (plainError) {
      if (!isTlsProtocolError(plainError)) throw plainError;
      try {
        await this.#ping(secure, signal);
      } catch (error) {
        if (isTlsProtocolError(error)) throw plainError;
        throw error;
      }
      return secure;
    }
  }

  async #ping(base: URL, signal: AbortSignal | undefined): Promise<HttpResponse> {
    return this.#options.http.send({ method: 'GET', url: new URL('v2/', base), signal, isSingleTry: true });
  }
}

function scopeKey(request: RegistryRequest): string {
  return requestScopes(request).join(' ');
}

/** https://distribution.github.io/distribution/spec/auth/scope/ */
function requestScopes(request: RegistryRequest): string[] {
  const actions = request.action === 'push' ? 'pull,push' : 'pull';
  const own = `repository:${request.repository}:${actions}`;
  return request.alsoPull === undefined ? [own] : [own, `repository:${request.alsoPull}:pull`];
}
