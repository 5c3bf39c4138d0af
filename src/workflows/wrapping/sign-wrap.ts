import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { copyError } from '../../domain/error-rules.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import { formatDuration } from '../../domain/format-quantity.ts';
import { writeFileAtomically } from '../../files/atomic-write.ts';
import type { BlobSigner } from '../../trust/blob-signer.ts';
import type { RunContext } from '../context.ts';
import {
  KEY_PASSWORD_VARIABLE,
  MAX_TRUST_FILE_BYTES,
  readTrustFile,
  SIGNATURE_EXTENSION,
} from '../verifying/trust-files.ts';

const READ_BYTES = 1024 * 1024;

/**
 * What signs with the private key of a file: one of cosign, whose password is in `COSIGN_PASSWORD`, or any PEM. To be called before anything
 * is fetched, for nobody is asked. Undefined without a file. Throws DT_KEY_INVALID, DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, DT_USAGE.
 */
export async function openWrapSigner(
  keyFile: string | undefined,
  environment: RunContext['environment'],
): Promise<BlobSigner | undefined> {
  if (keyFile === undefined) return undefined;
  if (keyFile === '') throw new DtError('DT_USAGE', 'the value of --sign is empty');
  const password = environment[KEY_PASSWORD_VARIABLE];
  // Most wraps are not signed, and the cryptography takes a moment to load.
  const [{ createBlobSigner }, { readPrivateKey }] = await Promise.all([
    import('../../trust/blob-signer.ts'),
    import('../../trust/read-key.ts'),
  ]);
  try {
    return createBlobSigner(readPrivateKey(readTrustFile(keyFile, MAX_TRUST_FILE_BYTES), keyFile, password));
  } catch (error) {
    if (!isDtError(error, 'DT_KEY_INVALID') || password !== undefined) throw error;
    throw copyError(error, { detail: `The password of an encrypted key is read from ${KEY_PASSWORD_VARIABLE}.` });
  }
}

/** Reads the finished file once, writes `FILE.sigstore.json`, and tells its path. Throws DT_OUTPUT_FAILED, DT_DISK_FULL, DT_INTERRUPTED. */
export async function signWrap(file: string, signer: BlobSigner, { reporter, signal }: RunContext): Promise<string> {
  const signatureFile = `${file}${SIGNATURE_EXTENSION}`;
  const startedAt = performance.now();
  return reporter.step(
    'Signing the wrap',
    async (progress) => {
      // An interrupted run must not leave the signature of a former file beside this one.
      await rm(signatureFile, { force: true });
      progress.setTotalBytes((await stat(file)).size);
      for await (const chunk of createReadStream(file, {
        highWaterMark: READ_BYTES,
        signal,
      }) as AsyncIterable<Buffer>) {
        signer.update(chunk);
        progress.addBytes(chunk.length);
      }
      await writeFileAtomically(signatureFile, signer.finish());
      return signatureFile;
    },
    () => `Signed: ${signatureFile} (${formatDuration(performance.now() - startedAt)})`,
  );
}

/** Says that a signature beside the file is not about it. */
export async function warnOfForeignSignature(file: string, { reporter }: RunContext): Promise<void> {
  const signatureFile = `${file}${SIGNATURE_EXTENSION}`;
  try {
    await stat(signatureFile);
  } catch {
    return;
  }
  reporter.warn(`${signatureFile} is the signature of a former file: sign again (--sign), or remove it`);
}
