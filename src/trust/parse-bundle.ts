import { bundleFromJSON, type Bundle } from '@sigstore/bundle';
import { errorMessage } from '../domain/errors.ts';
import { requireWithin, signatureError } from './signature-error.ts';

/** Attestations carry whole lists of software. */
export const MAX_SIGNATURE_BYTES = 32 * 1024 * 1024;
/** Of log entries and of time stamps in one bundle; they are compared each with each. */
const MAX_LOG_ENTRIES = 32;

/**
 * Reads a Sigstore bundle of version 0.1 to 0.3. Throws DT_SIGNATURE_INVALID, or DT_LIMIT_EXCEEDED for one that is too large.
 * https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_bundle.proto
 */
export function parseBundle(bytes: Uint8Array): Bundle {
  requireWithin(bytes.length, MAX_SIGNATURE_BYTES, 'bytes');
  const bundle = readBundle(bytes);
  const { tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
  requireWithin(tlogEntries.length, MAX_LOG_ENTRIES, 'log entries');
  requireWithin(timestampVerificationData?.rfc3161Timestamps.length ?? 0, MAX_LOG_ENTRIES, 'time stamps');
  return bundle;
}

function readBundle(bytes: Uint8Array): Bundle {
  try {
    return bundleFromJSON(JSON.parse(Buffer.from(bytes).toString()));
  } catch (error) {
    throw signatureError('it is not a Sigstore bundle', { detail: errorMessage(error).slice(0, 200), cause: error });
  }
}
