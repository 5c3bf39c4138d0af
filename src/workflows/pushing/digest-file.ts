import { createHash } from 'node:crypto';
import type { OpenWrapFile } from '../../archive/wrap-file.ts';
import { parseDigest, type Digest } from '../../domain/oci/digest.ts';
import type { Progress } from '../ports.ts';

/** Reads an open file once, for its digest. */
export async function digestFile(
  { file, sizeBytes }: OpenWrapFile,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<Digest> {
  progress.setTotalBytes(sizeBytes);
  const hash = createHash('sha256');
  for await (const chunk of file.stream(signal) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    progress.addBytes(chunk.length);
  }
  return parseDigest(`sha256:${hash.digest('hex')}`);
}
