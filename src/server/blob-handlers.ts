import type { OutgoingHttpHeaders } from 'node:http';
import type { Digest } from '../domain/oci/digest.ts';
import { parseRangeHeader } from './byte-range.ts';
import type { Exchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import type { RegistryWriter } from './registry-backend.ts';

/** GET and HEAD of a blob; GET honours one byte range. */
export async function getBlob(
  context: HandlerContext,
  exchange: Exchange,
  repository: string,
  digest: Digest,
): Promise<void> {
  const sizeBytes = await context.backend.statBlob(repository, digest);
  if (sizeBytes === undefined) {
    failBlobUnknown(exchange, digest);
    return;
  }
  const etag = `"${digest}"`;
  const headers: OutgoingHttpHeaders = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    ETag: etag,
  };
  if (exchange.method === 'HEAD') {
    exchange.respond(200, { ...headers, 'Content-Length': sizeBytes });
    return;
  }
  const { range: rangeHeader, 'if-range': ifRange } = exchange.request.headers;
  const range = ifRange === undefined || ifRange === etag ? parseRangeHeader(rangeHeader, sizeBytes) : undefined;
  if (range === 'unsatisfiable') {
    exchange.fail('RANGE_INVALID', 'the range lies outside of the blob', {
      headers: { 'Content-Range': `bytes */${String(sizeBytes)}` },
    });
    return;
  }
  const stream = await context.backend.openBlob(repository, digest, range);
  if (stream === undefined) {
    failBlobUnknown(exchange, digest);
  } else if (range === undefined) {
    await exchange.respondStream(200, { ...headers, 'Content-Length': sizeBytes }, stream);
  } else {
    const { start, end } = range;
    const contentRange = `bytes ${String(start)}-${String(end)}/${String(sizeBytes)}`;
    const rangeHeaders = { 'Content-Length': end - start + 1, 'Content-Range': contentRange };
    await exchange.respondStream(206, { ...headers, ...rangeHeaders }, stream);
  }
}

export async function deleteBlob(
  writer: RegistryWriter,
  exchange: Exchange,
  repository: string,
  digest: Digest,
): Promise<void> {
  if (await writer.deleteBlob(repository, digest)) exchange.respond(202);
  else failBlobUnknown(exchange, digest);
}

function failBlobUnknown(exchange: Exchange, digest: Digest): void {
  exchange.fail('BLOB_UNKNOWN', 'the repository has no such blob', { detail: { digest } });
}
