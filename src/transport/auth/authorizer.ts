import { isDtError } from '../../domain/errors.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Credential } from './credential-entry.ts';
import type { CredentialSource } from './credentials.ts';
import type { HttpClient } from '../http/http-client.ts';
import { formatBasic } from './basic.ts';
import { fetchToken, type Token } from './token.ts';

const MAX_MORE_SCOPES = 8;

export interface AuthorizerOptions {
  readonly http: HttpClient;
  readonly registry: string;
  readonly credentials: CredentialSource;
  readonly signal?: AbortSignal | undefined;
}

/** What a request wants to do where. */
export interface Access {
  /** Empty for the registry as a whole. */
  readonly repository: string;
  readonly action: 'pull' | 'push';
  /** Another repository that must be readable: the source of a mount. */
  readonly alsoPull?: string | undefined;
}

/** Answers the challenges of one registry: anonymous first, one token for each access, renewed before it ends or when it is refused. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Promise<Token>>();
  /** What the registry wanted beside the scopes of an access, by these. */
  readonly #moreScopes = new Map<string, readonly string[]>();
  #challenge: Challenge | undefined;
  #wasRefused = false;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** True once the registry has asked for credentials and got an answer: before that it has seen none. */
  get wasChallenged(): boolean {
    return this.#challenge !== undefined;
  }

  /** True once a credential was shown and refused. */
  get wasRefused(): boolean {
    return this.#wasRefused;
  }

  /** Takes in that the registry answered 401 to this header. A token may be refused for lack of rights only. */
  noteRefusal(presented: string): void {
    if (presented.startsWith('Basic ')) this.#wasRefused = true;
  }

  /** The credential that is there for the access, or undefined for anonymous access. */
  async findCredential({ repository }: Access): Promise<Credential | undefined> {
    return this.#options.credentials(this.#options.registry, repository);
  }

  /** The `Authorization` header to send; undefined as long as the registry has not asked. `baseUrl` is the registry's own. */
  async authorize(access: Access, baseUrl: URL): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'bearer') return formatBearer(await this.#findToken(challenge, access, baseUrl));
    const credential = await this.findCredential(access);
    return credential?.kind === 'basic' ? formatBasic(credential) : undefined;
  }

  /**
   * The header to try after a 401 with this `WWW-Authenticate` to a request that had presented the other one. Undefined if
   * there is nothing to say; when the challenge was answered before (`isRepeated`), that is unless it names another scope.
   */
  async answerChallenge(
    header: string | undefined,
    presented: string | undefined,
    access: Access,
    baseUrl: URL,
    isRepeated = false,
  ): Promise<string | undefined> {
    const challenge = await this.#chooseChallenge(parseChallenges(header), access);
    if (challenge === undefined) return undefined;
    this.#challenge = challenge;
    const key = scopeKey(access);
    const wantsMore = presented !== undefined && this.#takeScopes(key, readScopes(challenge));
    if (isRepeated && !wantsMore) return undefined;
    await this.#dropToken(key, presented);
    return this.authorize(access, baseUrl);
  }

  /**
   * Notes scopes for other repositories than ours that a registry wants although it got a token: behind a proxy that rewrites
   * paths it knows a repository by another name. Returns true if they are new.
   */
  #takeScopes(key: string, scopes: readonly string[]): boolean {
    const known = new Set([...key.split(' '), ...(this.#moreScopes.get(key) ?? [])].map(resourceOf));
    const others = scopes.filter((scope) => !known.has(resourceOf(scope)));
    if (others.length > 0) this.#moreScopes.set(key, others);
    return others.length > 0;
  }

  /** Bearer wins where both are offered; basic is an answer only when there is something to say. */
  async #chooseChallenge(challenges: readonly Challenge[], access: Access): Promise<Challenge | undefined> {
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
    if (bearer !== undefined) return bearer;
    const basic = challenges.find((challenge) => challenge.scheme === 'basic');
    return basic !== undefined && (await this.findCredential(access)) !== undefined ? basic : undefined;
  }

  /** Forgets the token that was refused, but not one that another request has got since. */
  async #dropToken(key: string, presented: string | undefined): Promise<void> {
    const pending = this.#tokens.get(key);
    const token = await pending?.catch(() => undefined);
    const isRefused = token !== undefined && formatBearer(token) === presented;
    if (isRefused && this.#tokens.get(key) === pending) this.#tokens.delete(key);
  }

  /** Of requests that find the token expired together, the first renews it for all. */
  async #findToken(challenge: Challenge, access: Access, baseUrl: URL): Promise<Token> {
    const key = scopeKey(access);
    for (let pending = this.#tokens.get(key); pending !== undefined; pending = this.#tokens.get(key)) {
      const token = await pending;
      if (token.expiresAtMs > Date.now()) return token;
      if (this.#tokens.get(key) === pending) this.#tokens.delete(key);
    }
    const pending = this.#requestToken(challenge, access, baseUrl);
    this.#tokens.set(key, pending);
    pending.catch(() => {
      if (this.#tokens.get(key) === pending) this.#tokens.delete(key);
    });
    return pending;
  }

  async #requestToken(challenge: Challenge, access: Access, baseUrl: URL): Promise<Token> {
    const credential = await this.findCredential(access);
    const scopes = new Set([...accessScopes(access), ...(this.#moreScopes.get(scopeKey(access)) ?? [])]);
    try {
      return await fetchToken(this.#options.http, {
        challenge,
        scopes: [...scopes],
        credential,
        registryUrl: baseUrl,
        signal: this.#options.signal,
      });
    } catch (error) {
      if (credential !== undefined && isDtError(error, 'DT_AUTH_DENIED')) this.#wasRefused = true;
      throw error;
    }
  }
}

/** https://distribution.github.io/distribution/spec/auth/token/ */
function readScopes({ parameters }: Challenge): string[] {
  return (parameters['scope'] ?? '')
    .split(' ')
    .filter((scope) => scope !== '')
    .slice(0, MAX_MORE_SCOPES);
}

/** A scope without its actions. */
function resourceOf(scope: string): string {
  return scope.slice(0, scope.lastIndexOf(':'));
}

function formatBearer(token: Token): string {
  return `Bearer ${token.value}`;
}

function scopeKey(access: Access): string {
  return accessScopes(access).join(' ');
}

/** https://distribution.github.io/distribution/spec/auth/scope/ */
function accessScopes({ repository, action, alsoPull }: Access): string[] {
  if (repository === '') return [];
  const own = `repository:${repository}:${action === 'push' ? 'pull,push' : 'pull'}`;
  return alsoPull === undefined ? [own] : [own, `repository:${alsoPull}:pull`];
}
