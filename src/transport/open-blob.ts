import type { Readable } from 'node:stream';
import { DtError, isDtError } from '../domain/errors.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { isNonDistributable } from '../domain/oci/media-types.ts';
import { checkForeignLayer } from './connections/foreign-url-rules.ts';
import type { HttpStreamResponse } from './http/http-message.ts';
import { openResumableBody } from './http/resumable-body.ts';
import { cacheHeaders } from './manifest-headers.ts';
import type { RegistryClient } from './registry-client.ts';

/** A repository, and what it is opened for. */
export interface BlobPlace {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly action: 'pull' | 'push';
}

export interface OpenBlobOptions {
  readonly signal?: AbortSignal | undefined;
  readonly bypassesCaches?: boolean | undefined;
}

/**
 * Opens a blob of a repository, resumed where the connection breaks. A layer that may not be distributed comes from one of the
 * URLs of its descriptor if the registry does not have it. Bytes are not verified here. Throws DT_NOT_FOUND and the registry errors.
 */
export async function openBlob(
  place: BlobPlace,
  descriptor: Descriptor,
  options: OpenBlobOptions = {},
): Promise<Readable> {
  const { client, repository, action } = place;
  const { digest, mediaType, urls = [] } = descriptor;
  try {
    return await openResumable(place, descriptor, options, async (fromByte, headers) =>
      client.stream({
        method: 'GET',
        path: `blobs/${digest}`,
        repository,
        action,
        headers,
        expect: expectedStatuses(fromByte),
        what: `blob ${digest}`,
        signal: options.signal,
        isSingleTry: fromByte > 0,
        isVerified: true,
      }),
    );
  } catch (error) {
    if (!isNonDistributable(mediaType) || urls.length === 0 || !isDtError(error, 'DT_NOT_FOUND')) throw error;
    return openFromUrls(place, descriptor, options);
  }
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#properties */
async function openFromUrls(place: BlobPlace, descriptor: Descriptor, options: OpenBlobOptions): Promise<Readable> {
  const { digest, urls = [] } = descriptor;
  let failure: unknown;
  for (const text of urls) {
    try {
      const url = await checkForeignLayer(text, await place.client.findBaseUrl(options.signal));
      return await openResumable(place, descriptor, options, async (fromByte, headers) =>
        requireStatus(await place.client.streamForeign(url, headers, options.signal), fromByte),
      );
    } catch (error) {
      if (options.signal?.aborted === true || !isDtError(error)) throw error;
      failure ??= error;
    }
  }
  const detail = isDtError(failure) ? failure.message : '';
  throw new DtError('DT_NOT_FOUND', `layer ${digest} is not in the registry, and none of its URLs gives it`, {
    detail,
    cause: failure,
  });
}

async function openResumable(
  { client }: BlobPlace,
  { size }: Descriptor,
  options: OpenBlobOptions,
  open: (fromByte: number, headers: Readonly<Record<string, string>>) => Promise<HttpStreamResponse>,
): Promise<Readable> {
  return openResumableBody({
    sizeBytes: size,
    retryPolicy: client.retryPolicy,
    signal: options.signal,
    open: async (fromByte) =>
      open(fromByte, {
        ...(fromByte === 0 ? {} : { range: `bytes=${String(fromByte)}-` }),
        ...cacheHeaders(options),
      }),
  });
}

function requireStatus(response: HttpStreamResponse, fromByte: number): HttpStreamResponse {
  if (expectedStatuses(fromByte).includes(response.status)) return response;
  response.body.destroy();
  throw new DtError('DT_NOT_FOUND', `${response.url.host} answers ${String(response.status)}`);
}

function expectedStatuses(fromByte: number): readonly number[] {
  return fromByte === 0 ? [200] : [200, 206, 416];
}
