import type { Readable } from 'node:stream';
import { DtError, isDtError } from '../domain/errors.ts';
import { digestAlgorithm, isDigest } from '../domain/oci/digest.ts';
import type { HttpResponse } from './http/http-message.ts';
import { retryTransient } from './http/retry.ts';
import { readRegistryErrors, toRegistryError } from './registry-error.ts';
import { SourceReader } from './source-reader.ts';
import { UploadPieces } from './upload-pieces.ts';
import { UploadSession, type UploadTarget } from './upload-session.ts';

/** A registry that has been started anew may forget a session in between; one of several that do not know each other's always does. */
const MAX_FORGOTTEN_SESSIONS = 3;
/** What a mount may be refused with, for instance for want of access to the other repository. */
const MOUNT_REFUSALS = ['DT_AUTH_REQUIRED', 'DT_AUTH_DENIED', 'DT_NOT_FOUND', 'DT_REGISTRY_ERROR'] as const;
/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
const CONTENT_ERROR_CODES: ReadonlySet<string> = new Set(['DIGEST_INVALID', 'SIZE_INVALID']);

export interface UploadRequest extends UploadTarget {
  /** Opens the verified bytes of the blob from their start. Not called when the mount succeeds; called again for another try. */
  readonly open: () => Promise<Readable>;
  /** A repository of the same registry that has the blob. */
  readonly mountFrom?: string | undefined;
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
  readonly #session: UploadSession;
  readonly #source: SourceReader;
  readonly #pieces: UploadPieces;
  #isInDoubt = false;
  #forgottenSessions = 0;
  /** How often the registry wanted other bytes than the next ones. */
  #mismatches = 0;
  /** How often all bytes were sent and the registry got others. */
  #refusedContents = 0;

  constructor(request: UploadRequest) {
    this.#request = request;
    this.#session = new UploadSession(request);
    this.#source = new SourceReader(request.open, request.descriptor.size);
    this.#pieces = new UploadPieces(request.client.largestUploadBytes);
  }

  close(): void {
    this.#source.close();
  }

  async step(): Promise<StepOutcome> {
    const session = this.#session;
    if (this.#isInDoubt && (await this.#findProgress())) return 'going';
    if (!session.isOpen) {
      if (session.count > 0 && (await session.isStored())) return 'written';
      if ((await this.#startSession()) === 'mounted') return 'mounted';
    }
    try {
      return await this.#send();
    } catch (error) {
      if (isDtError(error, 'DT_NOT_FOUND') && this.#forgottenSessions++ < MAX_FORGOTTEN_SESSIONS) {
        session.close();
        return 'going';
      }
      this.#isInDoubt = true;
      if (isDtError(error, 'DT_REGISTRY_UNREACHABLE')) {
        this.#pieces.noteBreak(this.#request.descriptor.size - session.offset);
      }
      throw error;
    }
  }

  /** True if the registry has more than was known. */
  async #findProgress(): Promise<boolean> {
    const session = this.#session;
    const before = session.offset;
    if (session.isOpen) await session.findOffset();
    this.#isInDoubt = false;
    return session.offset > before;
  }

  /** A mount is offered first, and once: the bytes go where it is refused. */
  async #startSession(): Promise<'open' | 'mounted'> {
    const { mountFrom } = this.#request;
    if (mountFrom === undefined || this.#session.count > 0) return this.#openSession(undefined);
    try {
      return await this.#openSession(mountFrom);
    } catch (error) {
      if (!isDtError(error, ...MOUNT_REFUSALS)) throw error;
      return this.#openSession(undefined);
    }
  }

  async #openSession(mountFrom: string | undefined): Promise<'open' | 'mounted'> {
    const { isMounted, minPieceBytes } = await this.#session.open(mountFrom);
    if (minPieceBytes !== undefined) this.#pieces.requireAtLeast(minPieceBytes);
    return isMounted ? 'mounted' : 'open';
  }

  async #send(): Promise<StepOutcome> {
    const { size } = this.#request.descriptor;
    const { offset } = this.#session;
    if (offset === 0 && size <= this.#pieces.sizeBytes) {
      return this.#finish(await this.#session.put(size, async () => this.#source.openWhole()));
    }
    if (offset === size) return this.#finish(await this.#session.put(0));
    const end = Math.min(offset + this.#pieces.sizeBytes, size);
    const answer = await this.#session.patch(end, async () => this.#source.openPiece(offset, end));
    if (answer.status === 413) return this.#refusePiece(end - offset);
    if (answer.status === 416) throw this.#refuseOffset();
    this.#pieces.noteProgress();
    return 'going';
  }

  #finish(answer: HttpResponse): StepOutcome {
    if (answer.status === 400) return this.#refuseContent(answer);
    if (answer.status === 413) return this.#refusePiece(this.#request.descriptor.size);
    checkStoredDigest(answer, this.#request);
    return 'written';
  }

  /** Bytes that were verified here and are others there were changed on the way: they go once more. */
  #refuseContent(answer: HttpResponse): StepOutcome {
    const { client, repository } = this.#request;
    const { what, place } = this.#session;
    if (!readRegistryErrors(answer).some(({ code }) => CONTENT_ERROR_CODES.has(code))) {
      throw toRegistryError({ method: 'PUT', registry: client.registry, repository, what }, answer, 'none');
    }
    if (this.#refusedContents++ > 0) {
      throw new DtError('DT_DIGEST_MISMATCH', `${what} arrives changed at ${place}, twice`, {
        detail: 'Something between here and the registry changes what is sent.',
        side: 'destination',
      });
    }
    this.#session.close();
    return 'going';
  }

  /** Takes a smaller piece from now on, in this registry. */
  #refusePiece(refusedBytes: number): StepOutcome {
    if (!this.#pieces.refuse(refusedBytes)) {
      const message = `${this.#session.place} refuses ${String(refusedBytes)} bytes at once (413)`;
      throw new DtError('DT_REGISTRY_ERROR', message, {
        detail: 'A proxy in front of the registry may limit the size of a request.',
        hints: ['raise the limit of that proxy, for nginx client_max_body_size'],
      });
    }
    this.#request.client.noteLargestUpload(this.#pieces.sizeBytes);
    this.#isInDoubt = true;
    return 'going';
  }

  /** A session of which the registry has another idea than it says is given up. */
  #refuseOffset(): DtError {
    const { what, place } = this.#session;
    if (this.#mismatches++ > 0) this.#session.close();
    return new DtError('DT_REGISTRY_ERROR', `${place} wants other bytes of ${what} than the next ones`, {
      isTransient: true,
    });
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
