import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { DtError } from '../domain/errors.ts';
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
  const sizeError = (seen: string): DtError =>
    new DtError(
      'DT_SIZE_MISMATCH',
      `blob ${descriptor.digest} from ${sourceName} has ${seen} bytes where ${String(descriptor.size)} were promised`,
    );
  const verifier = new Transform({
    highWaterMark: BUFFER_BYTES,
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      seenBytes += chunk.length;
      if (seenBytes > descriptor.size) {
        callback(sizeError('more'));
        return;
      }
      hash.update(chunk);
      onBytes?.(chunk.length);
      callback(null, chunk);
    },
    flush(callback: TransformCallback) {
      if (seenBytes !== descriptor.size) callback(sizeError(String(seenBytes)));
      else if (hash.digest('hex') === digestHex(descriptor.digest)) callback();
      else {
        callback(
          new DtError('DT_DIGEST_MISMATCH', `blob ${descriptor.digest} from ${sourceName} does not have that digest`),
        );
      }
    },
  });
  return pipeline(source, verifier, () => {
    // Errors reach the reader of `verifier`; pipeline only has to tear both ends down.
  });
}
