import type { OutgoingHttpHeaders } from 'node:http';
import { isDigest, type Digest } from '../domain/oci/digest.ts';
import { isRepository } from '../domain/oci/reference.ts';
import { isDtError } from '../domain/errors.ts';
import { parseChunkRange } from './byte-range.ts';
import type { Exchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import type { RegistryWriter, UploadSession } from './registry-backend.ts';

/**
 * POST: mounts a blob, takes a whole blob (`digest`), or opens a session.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function startUpload(writer: RegistryWriter, exchange: Exchange, repository: string): Promise<void> {
  const mount = exchange.query.get('mount');
  const from = exchange.query.get('from');
  if (mount !== null && isDigest(mount) && (from === null || isRepository(from))) {
    if (await writer.mountBlob(repository, mount, from ?? undefined)) {
      respondBlobCreated(exchange, repository, mount);
      return;
    }
  }
  const digest = exchange.query.get('digest');
  if (digest !== null && !isDigest(digest)) {
    exchange.fail('DIGEST_INVALID', 'the digest is not valid');
    return;
  }
  let session: UploadSession;
  try {
    session = await writer.beginUpload(repository);
  } catch (error) {
    if (!isDtError(error, 'DT_LIMIT_EXCEEDED')) throw error;
    exchange.fail('TOOMANYREQUESTS', 'too many uploads are open', { headers: { 'Retry-After': 1 } });
    return;
  }
  if (digest === null) {
    exchange.respond(202, uploadHeaders(repository, session));
    return;
  }
  try {
    await session.append(exchange.body);
  } catch (error) {
    await session.cancel();
    throw error;
  }
  await finishUpload(session, exchange, repository, digest);
}

/** GET, PATCH, PUT and DELETE of a session. */
export async function continueUpload(
  context: HandlerContext,
  writer: RegistryWriter,
  exchange: Exchange,
  repository: string,
  id: string,
): Promise<void> {
  const session = await writer.findUpload(repository, id);
  if (session === undefined) {
    exchange.fail('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
    return;
  }
  if (exchange.method === 'GET') {
    exchange.respond(204, uploadHeaders(repository, session));
    return;
  }
  if (context.busyUploads.has(session)) {
    exchange.fail('BLOB_UPLOAD_INVALID', 'another request is writing to this upload', { status: 409 });
    return;
  }
  context.busyUploads.add(session);
  try {
    if (exchange.method === 'DELETE') {
      await session.cancel();
      exchange.respond(204);
    } else {
      await receiveChunk(session, exchange, repository);
    }
  } finally {
    context.busyUploads.delete(session);
  }
}

async function receiveChunk(session: UploadSession, exchange: Exchange, repository: string): Promise<void> {
  const isLast = exchange.method === 'PUT';
  const digest = exchange.query.get('digest');
  if (isLast && (digest === null || !isDigest(digest))) {
    exchange.fail('DIGEST_INVALID', 'the last request of an upload needs a valid digest');
    return;
  }
  const { 'content-range': rangeHeader, 'content-length': lengthHeader } = exchange.request.headers;
  let expectedBytes: number | undefined;
  if (rangeHeader !== undefined) {
    const range = parseChunkRange(rangeHeader);
    if (range?.start !== session.sizeBytes) {
      const why = range === undefined ? 'the Content-Range is not START-END' : 'the chunk is out of order';
      exchange.fail('BLOB_UPLOAD_INVALID', why, { status: 416, headers: uploadHeaders(repository, session) });
      return;
    }
    expectedBytes = range.end - range.start + 1;
    if (lengthHeader !== undefined && Number(lengthHeader) !== expectedBytes) {
      exchange.fail('SIZE_INVALID', 'Content-Range and Content-Length disagree');
      return;
    }
  }
  const startBytes = session.sizeBytes;
  await session.append(exchange.body);
  if (expectedBytes !== undefined && session.sizeBytes - startBytes !== expectedBytes) {
    await session.cancel();
    exchange.fail('SIZE_INVALID', 'the chunk has not the length that its Content-Range says');
  } else if (isLast && digest !== null && isDigest(digest)) {
    await finishUpload(session, exchange, repository, digest);
  } else {
    exchange.respond(202, uploadHeaders(repository, session));
  }
}

async function finishUpload(
  session: UploadSession,
  exchange: Exchange,
  repository: string,
  digest: Digest,
): Promise<void> {
  try {
    await session.finish(digest);
  } catch (error) {
    if (!isDtError(error, 'DT_DIGEST_MISMATCH')) throw error;
    exchange.fail('DIGEST_INVALID', 'the bytes do not have this digest', { detail: { digest } });
    return;
  }
  respondBlobCreated(exchange, repository, digest);
}

function respondBlobCreated(exchange: Exchange, repository: string, digest: Digest): void {
  exchange.respond(201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest });
}

function uploadHeaders(repository: string, session: UploadSession): OutgoingHttpHeaders {
  return {
    Location: `/v2/${repository}/blobs/uploads/${session.id}`,
    // The last byte received; by custom also 0-0 when there is none.
    Range: `0-${String(Math.max(0, session.sizeBytes - 1))}`,
    'Docker-Upload-UUID': session.id,
  };
}
