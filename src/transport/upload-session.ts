import type { Readable } from 'node:stream';
import { DtError, isDtError } from '../domain/errors.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { checkOnwardUrl } from './connections/foreign-url-rules.ts';
import type { HttpResponse } from './http/http-message.ts';
import type { RegistryClient, RegistryRequest } from './registry-client.ts';

/** Some registries forget a session when one of its requests breaks. */
const MAX_SESSIONS = 20;

export interface UploadTarget {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The requests of uploading one blob, and where they go: each answer may name another place for the next one. Nothing is tried
 * again here; a request with bytes may fail with a transient error.
 */
export class UploadSession {
  readonly #target: UploadTarget;
  #location: URL | undefined;
  #offset = 0;
  #count = 0;

  constructor(target: UploadTarget) {
    this.#target = target;
  }

  get isOpen(): boolean {
    return this.#location !== undefined;
  }

  /** Sessions opened so far, this one included. */
  get count(): number {
    return this.#count;
  }

  /** Bytes that the registry has. */
  get offset(): number {
    return this.#offset;
  }

  /** What messages call the blob. */
  get what(): string {
    return `blob ${this.#target.descriptor.digest}`;
  }

  /** What messages call the repository. */
  get place(): string {
    return `${this.#target.client.registry}/${this.#target.repository}`;
  }

  /** Opens a session, or mounts the blob from another repository instead. Throws DT_REGISTRY_ERROR after too many sessions. */
  async open(mountFrom: string | undefined): Promise<{ readonly isMounted: boolean; readonly minPieceBytes?: number }> {
    if (this.#count++ === MAX_SESSIONS) {
      throw new DtError('DT_REGISTRY_ERROR', `${this.place} lost the upload of ${this.what} too often`);
    }
    const { digest } = this.#target.descriptor;
    const query =
      mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: digest, from: mountFrom }).toString()}`;
    const answer = await this.#send({
      method: 'POST',
      path: `blobs/uploads/${query}`,
      alsoPull: mountFrom,
      headers: { 'content-length': '0' },
      expect: [201, 202],
      isSingleTry: false,
    });
    if (answer.status === 201) return { isMounted: true };
    this.close();
    this.#moveTo(answer);
    const minimum = Number(answer.headers['oci-chunk-min-length']);
    return { isMounted: false, ...(Number.isSafeInteger(minimum) ? { minPieceBytes: minimum } : {}) };
  }

  /** Forgets the session; nothing is sent. */
  close(): void {
    this.#location = undefined;
    this.#offset = 0;
  }

  /** Completes the blob, with all of its bytes or, without a body, with what was sent before. Answers 201, 204, 400 or 413. */
  async put(sizeBytes: number, body?: () => Promise<Readable>): Promise<HttpResponse> {
    const location = new URL(this.#openLocation());
    location.searchParams.append('digest', this.#target.descriptor.digest);
    return this.#send({
      method: 'PUT',
      path: location,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/octet-stream' }),
        'content-length': String(sizeBytes),
      },
      body,
      expect: [201, 204, 400, 413],
    });
  }

  /** Sends the bytes from the offset up to `end`; the registry may take fewer. Answers 202, 204, 413 or 416. */
  async patch(end: number, body: () => Promise<Readable>): Promise<HttpResponse> {
    const start = this.#offset;
    const answer = await this.#send({
      method: 'PATCH',
      path: this.#openLocation(),
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(end - start),
        'content-range': `${String(start)}-${String(end - 1)}`,
      },
      body,
      expect: [202, 204, 413, 416],
    });
    if (answer.status >= 400) return answer;
    this.#moveTo(answer);
    const accepted = acceptedEnd(answer);
    this.#offset = accepted !== undefined && accepted > start && accepted < end ? accepted : end;
    return answer;
  }

  /** Asks the registry how far the session came; one that it does not know any more is closed. */
  async findOffset(): Promise<void> {
    try {
      const answer = await this.#send({
        method: 'GET',
        path: this.#openLocation(),
        expect: [202, 204],
        isSingleTry: false,
      });
      this.#moveTo(answer);
      this.#offset = Math.min(acceptedEnd(answer) ?? 0, this.#target.descriptor.size);
    } catch (error) {
      if (!isDtError(error, 'DT_NOT_FOUND', 'DT_REGISTRY_ERROR')) throw error;
      this.close();
    }
  }

  /** True if the repository has the blob. */
  async isStored(): Promise<boolean> {
    const { digest } = this.#target.descriptor;
    const answer = await this.#send({
      method: 'HEAD',
      path: `blobs/${digest}`,
      expect: [200, 404],
      isSingleTry: false,
    });
    return answer.status === 200;
  }

  async #send(request: Omit<RegistryRequest, 'repository' | 'action' | 'what' | 'signal'>): Promise<HttpResponse> {
    const { client, repository, signal } = this.#target;
    return client.send({ isSingleTry: true, ...request, repository, action: 'push', what: this.what, signal });
  }

  /** An answer without a Location leaves the old one in force, but for the first. */
  #moveTo(answer: HttpResponse): void {
    if (this.#location !== undefined && answer.headers.location === undefined) return;
    this.#location = uploadLocation(answer, this.#target.client.registry);
  }

  #openLocation(): URL {
    if (this.#location === undefined) throw new TypeError('there is no upload session');
    return this.#location;
  }
}

/** Where the next request of an upload goes. Throws DT_REGISTRY_ERROR for a place without TLS when the registry has it, and for a link-local one. */
export function uploadLocation(response: HttpResponse, registry: string): URL {
  const header = response.headers.location;
  if (header === undefined || !URL.canParse(header, response.url)) {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} opened an upload without saying where to send it`);
  }
  const location = new URL(header, response.url);
  if (!/^https?:$/.test(location.protocol)) {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} wants an upload over ${location.protocol} instead of HTTP`);
  }
  if (location.protocol === 'http:' && response.url.protocol === 'https:') {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} wants an upload over plain HTTP although it speaks TLS`);
  }
  checkOnwardUrl(location, response.url);
  return location;
}

/**
 * The number of bytes that an upload has, as the `Range` header of an answer says; some registries put `bytes=` in front.
 * `0-0` stands for an upload without any byte as well as for one byte, so it counts as none.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export function acceptedEnd({ headers }: Pick<HttpResponse, 'headers'>): number | undefined {
  const last = /^(?:bytes[= ])?0-([0-9]{1,16})$/.exec(headers.range ?? '')?.[1];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}
