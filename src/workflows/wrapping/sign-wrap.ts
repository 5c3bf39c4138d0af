import { rm, stat } from 'node:fs/promises';
import { requireRegularOutput } from '../../archive/output-path.ts';
import type { SegmentedFile } from '../../archive/segmented-file.ts';
import { copyError } from '../../domain/error-rules.ts';
import { DtError, errorMessage, isDtError } from '../../domain/errors.ts';
import { writeFileAtomically } from '../../files/atomic-write.ts';
import type { BlobSigner } from '../../trust/blob-signer.ts';
import type { RunContext } from '../context.ts';
import { readNamedFile } from '../read-named-file.ts';
import { KEY_PASSWORD_VARIABLE, MAX_TRUST_FILE_BYTES, SIGNATURE_EXTENSION } from '../verifying/trust-files.ts';

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
    return createBlobSigner(readPrivateKey(readNamedFile(keyFile, MAX_TRUST_FILE_BYTES), keyFile, password));
  } catch (error) {
    if (!isDtError(error, 'DT_KEY_INVALID') || password !== undefined) throw error;
    throw copyError(error, { detail: `The password of an encrypted key is read from ${KEY_PASSWORD_VARIABLE}.` });
  }
}

/** The path of the signature of a file. Throws DT_OUTPUT_FAILED, before anything is fetched, for what is no regular file. */
export async function planSignature(file: string): Promise<string> {
  const signatureFile = `${file}${SIGNATURE_EXTENSION}`;
  await requireRegularOutput(signatureFile);
  return signatureFile;
}

/** Reads the complete wrap once, also one of parts, and writes its signature. Throws DT_OUTPUT_FAILED, DT_DISK_FULL, DT_INTERRUPTED. */
export async function signWrap(
  wrap: SegmentedFile,
  signatureFile: string,
  signer: BlobSigner,
  { signal }: RunContext,
): Promise<void> {
  try {
    // An interrupted run must not leave the signature of a former file beside this one.
    await rm(signatureFile, { force: true });
    for await (const chunk of wrap.stream(signal) as AsyncIterable<Buffer>) signer.update(chunk);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new DtError('DT_OUTPUT_FAILED', `cannot make ${signatureFile}: ${errorMessage(error)}`, { cause: error });
  }
  await writeFileAtomically(signatureFile, signer.finish());
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
