import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { digestMismatchError, sizeMismatchError } from '../domain/oci/blob-errors.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { createDigestHash, digestHex } from '../domain/oci/digest.ts';

const BUFFER_BYTES = 256 * 1024;

/**
 * Passes the bytes of a blob through and fails before its end when they are too many, too few
 * (DT_SIZE_MISMATCH) or not those of the digest (DT_DIGEST_MISMATCH). `sourceName` is named in the message;
 * `onBytes` hears the size of every chunk.
 */
export function verifyBlob(
  source: Readable,
  descriptor: Descriptor,
  sourceName: string,
  onBytes?: (sizeBytes: number) => void,
): Readable {
  const hash = createDigestHash(descriptor.digest);
  let seenBytes = 0;
  const verifier = new Transform({
    highWaterMark: BUFFER_BYTES,
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      seenBytes += chunk.length;
      if (seenBytes > descriptor.size) {
        callback(sizeMismatchError(descriptor.digest, descriptor.size, sourceName, 'more'));
        return;
      }
      hash.update(chunk);
      onBytes?.(chunk.length);
      callback(null, chunk);
    },
    flush(callback: TransformCallback) {
      const { digest, size } = descriptor;
      if (seenBytes !== size) callback(sizeMismatchError(digest, size, sourceName, seenBytes));
      else if (hash.digest('hex') === digestHex(digest)) callback();
      else callback(digestMismatchError(digest, sourceName));
    },
  });
  return pipeline(source, verifier, () => {
    // Errors reach the reader of `verifier`; pipeline only has to tear both ends down.
  });
}
