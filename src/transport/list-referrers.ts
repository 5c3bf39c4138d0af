import { DtError } from '../domain/errors.ts';
import { digestAlgorithm, type Digest } from '../domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../domain/oci/manifest.ts';
import { MEDIA_TYPE_OCI_INDEX } from '../domain/oci/media-types.ts';
import { mediaTypeOf } from './manifest-headers.ts';
import { listEntryDigests, readReferrersIndex, type ReferrersIndex } from '../domain/oci/referrers-index.ts';
import type { HttpResponse } from './http/http-message.ts';
import { nextPage } from './next-page.ts';
import type { RegistryClient } from './registry-client.ts';
import { readRegistryErrors } from './registry-error.ts';

const MAX_PAGES = 100;
const MAX_REFERRERS = 10_000;
/** What registries without this API say. Those that guard it by itself (401, 403) are no different for whoever asks. */
const REFUSALS: readonly number[] = [400, 401, 403, 404, 405, 406, 501];
/** Error codes that are about one repository and about one digest. Other repositories and digests may be answered. */
const REPOSITORY_CODES: readonly string[] = ['NAME_UNKNOWN', 'NAME_INVALID', 'UNAUTHORIZED', 'DENIED'];
const DIGEST_CODES: readonly string[] = ['DIGEST_INVALID', 'MANIFEST_UNKNOWN', 'MANIFEST_INVALID'];

/** What is known of the API of one registry in this run. */
interface ApiKnowledge {
  isAbsent: boolean;
  isPresent: boolean;
  readonly repositoriesWithout: Set<string>;
  /** The first request to the registry; it never rejects. Others wait for it, so that a registry without the API is asked once. */
  firstAnswer?: Promise<unknown>;
}

const knowledgeOfRegistries = new WeakMap<RegistryClient, ApiKnowledge>();

/**
 * The digests of everything whose `subject` is the digest, as the Referrers API gives them, or undefined if the registry (or
 * this repository) has no such API, which is remembered for all later requests of the client. What the API says is not verified.
 * Throws DT_LIMIT_EXCEEDED, DT_MANIFEST_INVALID for entries without a digest, and the registry errors.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function listReferrers(
  client: RegistryClient,
  repository: string,
  action: 'pull' | 'push',
  subject: Digest,
  signal?: AbortSignal,
): Promise<readonly Digest[] | undefined> {
  let knowledge = knowledgeOfRegistries.get(client);
  if (knowledge === undefined) {
    knowledge = { isAbsent: false, isPresent: false, repositoriesWithout: new Set() };
    knowledgeOfRegistries.set(client, knowledge);
  }
  const list = new ReferrersList(client, repository, action, subject, knowledge);
  if (knowledge.firstAnswer === undefined) {
    const first = list.readFirstPage(signal);
    knowledge.firstAnswer = first.catch(() => undefined);
    return list.follow(await first, signal);
  }
  await knowledge.firstAnswer;
  if (knowledge.isAbsent || knowledge.repositoriesWithout.has(repository)) return undefined;
  return list.follow(await list.readFirstPage(signal), signal);
}

interface ReferrersPage {
  readonly url: URL;
  readonly digests: readonly Digest[];
  readonly next: URL | undefined;
}

class ReferrersList {
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #action: 'pull' | 'push';
  readonly #subject: Digest;
  readonly #knowledge: ApiKnowledge;

  constructor(
    client: RegistryClient,
    repository: string,
    action: 'pull' | 'push',
    subject: Digest,
    knowledge: ApiKnowledge,
  ) {
    this.#client = client;
    this.#repository = repository;
    this.#action = action;
    this.#subject = subject;
    this.#knowledge = knowledge;
  }

  get #name(): string {
    return `the list of what is attached to ${this.#client.registry}/${this.#repository}@${this.#subject}`;
  }

  /** Undefined if there is no API. */
  async readFirstPage(signal: AbortSignal | undefined): Promise<ReferrersPage | undefined> {
    const response = await this.#send(`referrers/${this.#subject}`, [200, ...REFUSALS], signal);
    const index = response.status === 200 ? readIndex(response) : undefined;
    if (index === undefined) {
      if (response.status === 200 && mediaTypeOf(response.headers['content-type']) === MEDIA_TYPE_OCI_INDEX) {
        throw new DtError('DT_REGISTRY_ERROR', `${this.#name} is said to be an OCI index, and is none`);
      }
      this.#noteRefusal(response);
      return undefined;
    }
    this.#knowledge.isPresent = true;
    this.#knowledge.isAbsent = false;
    return this.#toPage(index, response);
  }

  /** All digests from the first page on. A later page that cannot be had is a failure: it may name a signature. */
  async follow(first: ReferrersPage | undefined, signal: AbortSignal | undefined): Promise<Digest[] | undefined> {
    if (first === undefined) return undefined;
    const digests: Digest[] = [];
    const seen = new Set<string>();
    for (let page: ReferrersPage | undefined = first; page !== undefined;) {
      for (const digest of page.digests) digests.push(digest);
      seen.add(page.url.href);
      // A page that was read before leads nowhere new.
      const next: URL | undefined = page.next === undefined || seen.has(page.next.href) ? undefined : page.next;
      if (digests.length > MAX_REFERRERS || (next !== undefined && seen.size >= MAX_PAGES)) {
        throw new DtError(
          'DT_LIMIT_EXCEEDED',
          `${this.#name} has more than ${String(MAX_REFERRERS)} entries or ${String(MAX_PAGES)} pages`,
        );
      }
      page = next === undefined ? undefined : await this.#readPage(next, signal);
    }
    return digests;
  }

  async #readPage(url: URL, signal: AbortSignal | undefined): Promise<ReferrersPage> {
    const response = await this.#send(url, [200], signal);
    const index = readIndex(response);
    if (index === undefined) throw new DtError('DT_REGISTRY_ERROR', `${this.#name} has a page that is no OCI index`);
    return this.#toPage(index, response);
  }

  #toPage(index: ReferrersIndex, { url, headers }: HttpResponse): ReferrersPage {
    return { url, digests: listEntryDigests(index, this.#name), next: nextPage(headers['link'], url) };
  }

  async #send(path: string | URL, expect: readonly number[], signal: AbortSignal | undefined): Promise<HttpResponse> {
    return this.#client.send({
      method: 'GET',
      path,
      repository: this.#repository,
      action: this.#action,
      headers: { accept: MEDIA_TYPE_OCI_INDEX },
      expect,
      what: `referrers of ${this.#subject}`,
      signal,
      limitBytes: MAX_MANIFEST_BYTES,
      mayBeWebPage: true,
    });
  }

  /** Remembers a refusal as far as it reaches. */
  #noteRefusal(response: HttpResponse): void {
    const { isPresent, repositoriesWithout } = this.#knowledge;
    const codes = readRegistryErrors(response).map(({ code }) => code);
    const isAbout = (known: readonly string[]): boolean => codes.some((code) => known.includes(code));
    // Some registries know sha256 only.
    if (isPresent || digestAlgorithm(this.#subject) !== 'sha256' || isAbout(DIGEST_CODES)) return;
    if ([401, 403].includes(response.status) || isAbout(REPOSITORY_CODES)) repositoriesWithout.add(this.#repository);
    else this.#knowledge.isAbsent = true;
  }
}

/** Whatever the header says: only what looks like an index is taken for one. */
function readIndex({ body }: HttpResponse): ReferrersIndex | undefined {
  return readReferrersIndex(body, MEDIA_TYPE_OCI_INDEX);
}
