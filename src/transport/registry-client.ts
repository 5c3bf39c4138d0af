import type { Readable } from 'node:stream';
import { DtError } from '../domain/errors.ts';
import { Authorizer, type Access } from './auth/authorizer.ts';
import { wordBodyErrors } from './http/body-errors.ts';
import type { CredentialSource } from './auth/credentials.ts';
import { detectBaseUrl, type SchemeRules } from './detect-base-url.ts';
import type { HttpRequest, HttpResponse, HttpStreamResponse } from './http/http-message.ts';
import { findWebPage, toRegistryError, type CredentialUse } from './registry-error.ts';
import { giveUpStranger, retryTransient, toFinalError, type RetryPolicy } from './http/retry.ts';

/** One for the challenge, one for a scope that it names only then. */
const MAX_CHALLENGE_ANSWERS = 2;
const MAX_ERROR_BODY_BYTES = 64 * 1024;

export interface RegistryClientOptions extends SchemeRules {
  readonly credentials: CredentialSource;
  /** Of the whole run: a token is fetched for many requests, each with an end of its own. */
  readonly signal?: AbortSignal | undefined;
}

export interface RegistryRequest extends Access {
  readonly method: HttpRequest['method'];
  /** Below `/v2/REPOSITORY/`, or an absolute URL that the registry itself gave (an upload's Location). */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A function opens the bytes anew for each try; it needs a `content-length` header. */
  readonly body?: Uint8Array | (() => Promise<Readable>) | undefined;
  /** Statuses that are answers and not failures. */
  readonly expect: readonly number[];
  /** What messages call the thing asked for. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  readonly limitBytes?: number;
  /** The caller tries again by itself: what it gets may be transient. Always the case for a body that is opened. */
  readonly isSingleTry?: boolean;
  /** A digest vouches for the answer, whoever gives it. */
  readonly isVerified?: boolean;
  /** The caller can tell an answer that is a page for people, and does not mind it. */
  readonly mayBeWebPage?: boolean;
}

/**
 * One registry: finds its scheme, answers its challenges (anonymous first), keeps its tokens, words its errors.
 * Credentials go to the registry's own origin and its token server only.
 */
export class RegistryClient {
  readonly registry: string;
  readonly #options: RegistryClientOptions;
  readonly #authorizer: Authorizer;
  #baseUrl: Promise<URL> | undefined;
  #largestUploadBytes = Number.POSITIVE_INFINITY;

  constructor(registry: string, options: RegistryClientOptions) {
    this.registry = registry;
    this.#options = options;
    this.#authorizer = new Authorizer({ ...options, registry });
  }

  /** True if the registry is spoken to without TLS. */
  async usesPlainHttp(signal?: AbortSignal): Promise<boolean> {
    return (await this.findBaseUrl(signal)).protocol === 'http:';
  }

  get retryPolicy(): RetryPolicy {
    return this.#options.http.retryPolicy;
  }

  /** The most bytes of a blob that the registry takes with one request, as far as it is known. */
  get largestUploadBytes(): number {
    return this.#largestUploadBytes;
  }

  noteLargestUpload(sizeBytes: number): void {
    this.#largestUploadBytes = Math.min(this.#largestUploadBytes, sizeBytes);
  }

  /** True once the registry has asked for credentials and got an answer: before that it has seen none. */
  get hasAskedForCredentials(): boolean {
    return this.#authorizer.wasChallenged;
  }

  /** True once a credential was shown and refused: showing it again may lock an account. */
  get hasRefusedCredential(): boolean {
    return this.#authorizer.wasRefused;
  }

  /** Asks for `/v2/` with the credential for the registry as a whole. Throws DT_AUTH_REQUIRED or DT_AUTH_DENIED if it is refused. */
  async checkLogin(signal?: AbortSignal): Promise<void> {
    const path = new URL('v2/', await this.findBaseUrl(signal));
    await this.send({ method: 'GET', path, repository: '', action: 'pull', expect: [200], what: 'the API', signal });
  }

  /** Sends a request and reads the whole answer. */
  async send(request: RegistryRequest): Promise<HttpResponse> {
    const response = await this.#exchange(request, (raw) => this.#options.http.send(raw, request.limitBytes));
    const page = request.mayBeWebPage === true ? undefined : findWebPage(request.method, response);
    if (page !== undefined) throw page;
    if (!request.expect.includes(response.status)) throw await this.#toError(request, response);
    return response;
  }

  /** Sends a request and hands out the body as a stream. */
  async stream(request: RegistryRequest): Promise<HttpStreamResponse> {
    const response = await this.#exchange(request, async (raw) => {
      const answer = await this.#options.http.stream(raw);
      return { ...answer, body: wordBodyErrors(answer.body, raw) };
    });
    if (request.expect.includes(response.status)) return response;
    throw await this.#toError(request, { ...response, body: await readStart(response.body) });
  }

  async #exchange<T extends HttpResponse | HttpStreamResponse>(
    request: RegistryRequest,
    perform: (raw: HttpRequest) => Promise<T>,
  ): Promise<T> {
    const base = await this.findBaseUrl(request.signal);
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
          isSingleTry: request.isSingleTry ?? false,
          isVerified: request.isVerified ?? false,
        });
      } finally {
        if (body !== undefined && 'destroy' in body) body.destroy();
      }
    };

    let presented = await this.#authorizer.authorize(request, base);
    let response = await attempt(presented);
    for (let answers = 0; answers < MAX_CHALLENGE_ANSWERS; answers++) {
      // Where a redirect has led, a challenge is that of a stranger.
      if (response.status !== 401 || response.url.origin !== base.origin) break;
      const header = response.headers['www-authenticate'];
      const next = await this.#authorizer.answerChallenge(header, presented, request, base, answers > 0);
      if (next === undefined) break;
      if (!Buffer.isBuffer(response.body)) response.body.destroy();
      presented = next;
      response = await attempt(presented);
    }
    if (response.status === 401 && presented !== undefined) this.#authorizer.noteRefusal(presented);
    return response;
  }

  /** Asked about after a 401 only: a credential that cannot be read must not hide another failure. */
  async #findCredentialUse(request: RegistryRequest, status: number): Promise<CredentialUse> {
    if (status !== 401 || (await this.#authorizer.findCredential(request)) === undefined) return 'none';
    return this.#authorizer.wasChallenged ? 'shown' : 'unasked';
  }

  async #toError(request: RegistryRequest, response: HttpResponse): Promise<DtError> {
    const { origin, host } = response.url;
    if (origin !== (await this.findBaseUrl(request.signal)).origin && [401, 403].includes(response.status)) {
      return new DtError(
        'DT_AUTH_DENIED',
        `${host}, where ${this.registry} keeps ${request.what}, refuses it (${String(response.status)})`,
      );
    }
    const context = {
      method: request.method,
      registry: this.registry,
      repository: request.repository,
      what: request.what,
    };
    const error = toRegistryError(context, response, await this.#findCredentialUse(request, response.status));
    const triesAgain = request.isSingleTry === true || typeof request.body === 'function';
    return triesAgain ? error : toFinalError(error);
  }

  /** Opens what lies elsewhere and what a digest vouches for, without credentials. */
  async streamForeign(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<HttpStreamResponse> {
    const request: HttpRequest = { method: 'GET', url, headers, signal, isVerified: true };
    const answer = await this.#options.http.stream(request);
    return { ...answer, body: wordBodyErrors(answer.body, request) };
  }

  /** Where the registry is; found out with the first request. */
  findBaseUrl(signal: AbortSignal | undefined): Promise<URL> {
    if (this.#baseUrl === undefined) {
      const pending = retryTransient(this.retryPolicy, signal, async (tryNumber) => {
        try {
          return await detectBaseUrl(this.registry, this.#options, signal);
        } catch (error) {
          throw giveUpStranger(error, tryNumber);
        }
      });
      pending.catch(() => {
        this.#baseUrl = undefined;
      });
      this.#baseUrl = pending;
    }
    return this.#baseUrl;
  }
}

/** The start of the body of an error answer; what cannot be read is left out. */
async function readStart(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes >= MAX_ERROR_BODY_BYTES) break;
    }
  } catch {
    // The status has said what matters.
  }
  return Buffer.concat(chunks);
}
