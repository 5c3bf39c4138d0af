import { X509Certificate } from 'node:crypto';
import { DtError, errorMessage, systemErrorCode } from '../../domain/errors.ts';
import { MAX_CERTIFICATE_FILE_BYTES, readSmallFile } from '../read-small-file.ts';

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Reads files with certificates of authorities. DT_FILE_NOT_FOUND for one that is not there, DT_CONFIG_INVALID for one that
 * cannot be read or holds no certificate.
 */
export function readCaFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    try {
      return parseCertificates(readSmallFile(path, MAX_CERTIFICATE_FILE_BYTES), path);
    } catch (error) {
      throw systemErrorCode(error) === 'ENOENT'
        ? new DtError('DT_FILE_NOT_FOUND', `the file ${path} with certificates does not exist`, { cause: error })
        : unreadableFile(path, error);
    }
  });
}

/** The certificates of a PEM file, each as PEM. DT_CONFIG_INVALID if there is none, or one that is damaged. */
export function parseCertificates(text: string, path: string): string[] {
  const blocks = text.match(CERTIFICATE_BLOCK) ?? [];
  if (blocks.length === 0) {
    throw new DtError('DT_CONFIG_INVALID', `${path} holds no certificate`, {
      detail: 'Certificates must be in PEM form: -----BEGIN CERTIFICATE-----',
    });
  }
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new DtError('DT_CONFIG_INVALID', `${path} holds a damaged certificate`, { cause: error });
    }
  }
  return blocks;
}

/** Errors of ours stay as they are. */
export function unreadableFile(path: string, error: unknown): DtError {
  if (error instanceof DtError) return error;
  return new DtError('DT_CONFIG_INVALID', `cannot read ${path}: ${systemErrorCode(error) ?? errorMessage(error)}`, {
    cause: error,
  });
}
