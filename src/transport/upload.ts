import type { Readable } from 'node:stream';
import { DtError, isDtError } from '../domain/errors.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { digestAlgorithm, isDigest } from '../domain/oci/digest.ts';
import type { HttpResponse } from './http/http-message.ts';
import type { RegistryClient, RegistryRequest } from './registry-client.ts';
import { retryTransient } from './http/retry.ts';
import { readRegistryErrors, toRegistryError } from './registry-error.ts';
import { SourceReader } from './source-reader.ts';
import { acceptedEnd, uploadLocation } from './upload-session.ts';

/** The largest piece that is tried first where a blob cannot go as a whole. */
const FIRST_PIECE_BYTES = 64 * 1024 * 1024;
/** A piece that is refused is followed by one of this part of it. */
const PIECE_DIVISOR = 4;
/** A registry that takes no piece of this size takes none. */
const MIN_PIECE_BYTES = 256 * 1024;
/** Some registries forget a session when one of its requests breaks. */
const MAX_SESSIONS = 20;
/** A registry that has been started anew may forget a session in between; one of several that do not know each other's always does. */
const MAX_FORGOTTEN_SESSIONS = 3;
/** What a mount may be refused with, for instance for want of access to the other repository. */
const MOUNT_REFUSALS = ['DT_AUTH_REQUIRED', 'DT_AUTH_DENIED', 'DT_NOT_FOUND', 'DT_REGISTRY_ERROR'] as const;
/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
const CONTENT_ERROR_CODES: ReadonlySet<string> = new Set(['DIGEST_INVALID', 'SIZE_INVALID']);

export interface UploadRequest {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly descriptor: Descriptor;
  /** Opens the verified bytes of the blob from their start. Not called when the mount succeeds; called again for another try. */
  readonly open: () => Promise<Readable>;
  /** A repository of the same registry that has the blob. */
  readonly mountFrom?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Puts a blob into a repository: by cross-repository mount where one is offered and taken, else with one PUT, and in pieces
 * where the registry, or a proxy in front of it, refuses so many bytes at once. What breaks goes on where the registry
 * says that it stopped. Throws DT_SIZE_MISMATCH and DT_DIGEST_MISMATCH of the source, DT_DIGEST_MISMATCH when the registry gets or stores
 * something else, and the errors of the registry.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function uploadBlob(request: UploadRequest): Promise<'mounted' | 'written'> {
  const upload = new Upload(request);
  try {
    for (let outcome: StepOutcome = 'going'; ;) {
      outcome = await retryTransient(request.client.retryPolicy, request.signal, async () => upload.step());
      if (outcome !== 'going') return outcome;
    }
  } finally {
    upload.close();
  }
}

type StepOutcome = 'going' | 'mounted' | 'written';

/** The state of one upload. A step makes one request that brings it forward, or finds out where it stands after a failure. */
class Upload {
  readonly #request: UploadRequest;
  readonly #source: SourceReader;
  /** Where the next bytes go; undefined without a session. */
  #location: URL | undefined;
  /** Bytes that the registry has. */
  #offset = 0;
  /** The most that goes with one request. */
  #pieceBytes: number;
  #minPieceBytes = MIN_PIECE_BYTES;
  #isInDoubt = false;
  #sessions = 0;
  #forgottenSessions = 0;
  /** How often the registry wanted other bytes than the next ones. */
  #mismatches = 0;
  /** How often all bytes were sent and the registry got others. */
  #refusedContents = 0;
  /** Connections that broke without a byte coming through. */
  #breaks = 0;

  constructor(request: UploadRequest) {
    this.#request = request;
    this.#source = new SourceReader(request.open, request.descriptor.size);
    this.#pieceBytes = request.client.largestUploadBytes;
  }

  close(): void {
    this.#source.close();
  }

  async step(): Promise<StepOutcome> {
    if (this.#isInDoubt && (await this.#findOffset())) return 'going';
    if (this.#location === undefined) {
      if (this.#sessions > 0 && (await this.#isPresent())) return 'written';
      if ((await this.#startSession()) === 'mounted') return 'mounted';
    }
    const { size } = this.#request.descriptor;
    try {
      if (this.#offset === 0 && size <= this.#pieceBytes) return await this.#putWhole();
      if (this.#offset < size) return await this.#patchPiece();
      return await this.#finish();
    } catch (error) {
      if (isDtError(error, 'DT_NOT_FOUND') && this.#forgottenSessions++ < MAX_FORGOTTEN_SESSIONS) {
        this.#location = undefined;
        return 'going';
      }
      this.#isInDoubt = true;
      if (isDtError(error, 'DT_REGISTRY_UNREACHABLE')) this.#noteBreak();
      throw error;
    }
  }

  /** A mount is offered first, and once: the bytes go where it is refused. */
  async #startSession(): Promise<'open' | 'mounted'> {
    const { mountFrom } = this.#request;
    if (mountFrom === undefined || this.#sessions > 0) return this.#openSession(undefined);
    try {
      return await this.#openSession(mountFrom);
    } catch (error) {
      if (!isDtError(error, ...MOUNT_REFUSALS)) throw error;
      return this.#openSession(undefined);
    }
  }

  async #openSession(from: string | undefined): Promise<'open' | 'mounted'> {
    const { descriptor } = this.#request;
    if (this.#sessions++ === MAX_SESSIONS) {
      throw new DtError('DT_REGISTRY_ERROR', `${this.#place} lost the upload of ${this.#what} too often`);
    }
    const query = from === undefined ? '' : `?${new URLSearchParams({ mount: descriptor.digest, from }).toString()}`;
    const session = await this.#send({
      method: 'POST',
      path: `blobs/uploads/${query}`,
      alsoPull: from,
      headers: { 'content-length': '0' },
      expect: [201, 202],
      isSingleTry: false,
    });
    if (session.status === 201) return 'mounted';
    this.#offset = 0;
    this.#isInDoubt = false;
    this.#moveTo(session);
    const minimum = Number(session.headers['oci-chunk-min-length']);
    if (Number.isSafeInteger(minimum)) this.#minPieceBytes = Math.max(minimum, MIN_PIECE_BYTES);
    this.#pieceBytes = Math.max(this.#pieceBytes, this.#minPieceBytes);
    return 'open';
  }

  async #putWhole(): Promise<StepOutcome> {
    const { descriptor } = this.#request;
    const stored = await this.#send({
      method: 'PUT',
      path: this.#closingLocation(),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
      body: async () => this.#source.openWhole(),
      expect: [201, 204, 400, 413],
    });
    if (stored.status === 400) return this.#refuseContent(stored);
    if (stored.status === 413) return this.#refusePiece(descriptor.size);
    checkStoredDigest(stored, this.#request);
    return 'written';
  }

  async #patchPiece(): Promise<StepOutcome> {
    const start = this.#offset;
    const end = Math.min(start + this.#pieceBytes, this.#request.descriptor.size);
    const answer = await this.#send({
      method: 'PATCH',
      path: this.#openLocation(),
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(end - start),
        'content-range': `${String(start)}-${String(end - 1)}`,
      },
      body: async () => this.#source.openPiece(start, end),
      expect: [202, 204, 413, 416],
    });
    if (answer.status === 413) return this.#refusePiece(end - start);
    if (answer.status === 416) throw this.#refuseOffset();
    this.#moveTo(answer);
    const accepted = acceptedEnd(answer);
    this.#offset = accepted !== undefined && accepted > start && accepted < end ? accepted : end;
    this.#breaks = 0;
    return 'going';
  }

  async #finish(): Promise<StepOutcome> {
    const stored = await this.#send({
      method: 'PUT',
      path: this.#closingLocation(),
      headers: { 'content-length': '0' },
      expect: [201, 204, 400],
    });
    if (stored.status === 400) return this.#refuseContent(stored);
    checkStoredDigest(stored, this.#request);
    return 'written';
  }

  /** Bytes that were verified here and are others there were changed on the way: they go once more. */
  #refuseContent(answer: HttpResponse): StepOutcome {
    const { client, repository } = this.#request;
    if (!readRegistryErrors(answer).some(({ code }) => CONTENT_ERROR_CODES.has(code))) {
      const context = { method: 'PUT', registry: client.registry, repository, what: this.#what };
      throw toRegistryError(context, answer, false);
    }
    if (this.#refusedContents++ > 0) {
      throw new DtError('DT_DIGEST_MISMATCH', `${this.#what} arrives changed at ${this.#place}, twice`, {
        detail: 'Something between here and the registry changes what is sent.',
        side: 'destination',
      });
    }
    this.#location = undefined;
    return 'going';
  }

  /** Takes a smaller piece from now on, in this registry. */
  #refusePiece(refusedBytes: number): StepOutcome {
    if (refusedBytes <= this.#minPieceBytes) {
      throw new DtError('DT_REGISTRY_ERROR', `${this.#place} refuses ${String(refusedBytes)} bytes at once (413)`, {
        detail: 'A proxy in front of the registry may limit the size of a request.',
        hints: ['raise the limit of that proxy, for nginx client_max_body_size'],
      });
    }
    this.#pieceBytes = this.#smallerThan(refusedBytes);
    this.#request.client.noteLargestUpload(this.#pieceBytes);
    this.#isInDoubt = true;
    return 'going';
  }

  #smallerThan(sizeBytes: number): number {
    return Math.max(Math.min(Math.floor(sizeBytes / PIECE_DIVISOR), FIRST_PIECE_BYTES), this.#minPieceBytes);
  }

  /** A session of which the registry has another idea than it says is given up. */
  #refuseOffset(): DtError {
    if (this.#mismatches++ > 0) this.#location = undefined;
    return new DtError('DT_REGISTRY_ERROR', `${this.#place} wants other bytes of ${this.#what} than the next ones`, {
      isTransient: true,
    });
  }

  /** A link that breaks under a large body may carry a small one. */
  #noteBreak(): void {
    this.#breaks++;
    if (this.#breaks < 2) return;
    const sentBytes = Math.min(this.#pieceBytes, this.#request.descriptor.size - this.#offset);
    this.#pieceBytes = this.#smallerThan(sentBytes);
  }

  /**
   * Asks the registry how far the session came. Returns true if it came further than was known; a registry that does not know it any
   * more gets a new one.
   */
  async #findOffset(): Promise<boolean> {
    if (this.#location === undefined) return false;
    const before = this.#offset;
    try {
      const answer = await this.#send({ method: 'GET', path: this.#location, expect: [202, 204], isSingleTry: false });
      this.#moveTo(answer);
      this.#offset = Math.min(acceptedEnd(answer) ?? 0, this.#request.descriptor.size);
    } catch (error) {
      if (!isDtError(error, 'DT_NOT_FOUND', 'DT_REGISTRY_ERROR')) throw error;
      this.#location = undefined;
      this.#offset = 0;
    }
    this.#isInDoubt = false;
    return this.#offset > before;
  }

  async #isPresent(): Promise<boolean> {
    const { digest } = this.#request.descriptor;
    const answer = await this.#send({
      method: 'HEAD',
      path: `blobs/${digest}`,
      expect: [200, 404],
      isSingleTry: false,
    });
    return answer.status === 200;
  }

  async #send(request: Omit<RegistryRequest, 'repository' | 'action' | 'what' | 'signal'>): Promise<HttpResponse> {
    const { client, repository, signal } = this.#request;
    return client.send({ isSingleTry: true, ...request, repository, action: 'push', what: this.#what, signal });
  }

  /** An answer without a Location leaves the old one in force, but for the first. */
  #moveTo(answer: HttpResponse): void {
    if (this.#location !== undefined && answer.headers.location === undefined) return;
    this.#location = uploadLocation(answer, this.#request.client.registry);
  }

  #openLocation(): URL {
    if (this.#location === undefined) throw new TypeError('there is no upload session');
    return this.#location;
  }

  #closingLocation(): URL {
    const location = new URL(this.#openLocation());
    location.searchParams.append('digest', this.#request.descriptor.digest);
    return location;
  }

  get #what(): string {
    return `blob ${this.#request.descriptor.digest}`;
  }

  get #place(): string {
    return `${this.#request.client.registry}/${this.#request.repository}`;
  }
}

/** A registry may call the blob by a digest of another algorithm, but not by another digest of the same one. */
function checkStoredDigest(response: HttpResponse, { client, repository, descriptor }: UploadRequest): void {
  const header = response.headers['docker-content-digest'];
  if (typeof header !== 'string' || !isDigest(header) || header === descriptor.digest) return;
  if (digestAlgorithm(header) !== digestAlgorithm(descriptor.digest)) return;
  throw new DtError(
    'DT_DIGEST_MISMATCH',
    `${client.registry}/${repository} stored the blob ${descriptor.digest} as ${header}`,
    { side: 'destination' },
  );
}
