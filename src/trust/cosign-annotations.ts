import { X509Certificate as NodeCertificate } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { RFC3161Timestamp, X509Certificate } from '@sigstore/core';
import { isRecord, parseJsonObject } from './in-toto-statement.ts';
import { signatureError } from './signature-error.ts';
import type { Evidence } from './verify-identity.ts';

/** Annotations of a manifest's layer, by name. The limit for manifests is theirs. */
export type Annotations = Readonly<Record<string, string>>;

// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
const CERTIFICATE_ANNOTATION = 'dev.sigstore.cosign/certificate';
const LOG_ENTRY_ANNOTATION = 'dev.sigstore.cosign/bundle';
const TIMESTAMP_ANNOTATION = 'dev.sigstore.cosign/rfc3161timestamp';

/**
 * Certificate, log entry and time stamp of a signature in cosign's classic form. The chain beside the certificate is not read: what may vouch for a
 * certificate is in the trusted root. Throws DT_SIGNATURE_INVALID, and plain errors of parsers.
 */
export function readAnnotatedEvidence(annotations: Annotations): Evidence {
  const pem = readAnnotation(annotations, CERTIFICATE_ANNOTATION);
  if (pem === undefined) throw signatureError('it was made with a key, not with a certificate');
  const certificate = X509Certificate.parse(new NodeCertificate(pem).raw);
  const logText = readAnnotation(annotations, LOG_ENTRY_ANNOTATION);
  const timestampText = readAnnotation(annotations, TIMESTAMP_ANNOTATION);
  const tlogEntries = logText === undefined ? [] : [readLogEntry(logText)];
  const timestamps = timestampText === undefined ? [] : [readTimestamp(timestampText)];
  return {
    key: { $case: 'certificate', certificate },
    tlogEntries,
    timestamps: [
      ...tlogEntries.map((tlogEntry) => ({ $case: 'transparency-log' as const, tlogEntry })),
      ...timestamps.map((timestamp) => ({ $case: 'timestamp-authority' as const, timestamp })),
    ],
  };
}

/** An annotation, if it is there and not empty. */
export function readAnnotation(annotations: Annotations, name: string): string | undefined {
  const value: unknown = Object.hasOwn(annotations, name) ? annotations[name] : undefined;
  return typeof value !== 'string' || value === '' ? undefined : value;
}

/** What Rekor answered when the signature was sent to it, with the log's promise to take it in. */
function readLogEntry(text: string): TransparencyLogEntry {
  const { SignedEntryTimestamp: promise, Payload: payload } = parseJsonObject(text, 'its log entry');
  if (!isRecord(payload)) throw signatureError('its log entry has no payload');
  const { body, integratedTime, logIndex, logID } = payload;
  if (
    typeof promise !== 'string' ||
    typeof body !== 'string' ||
    typeof logID !== 'string' ||
    !Number.isSafeInteger(integratedTime) ||
    !Number.isSafeInteger(logIndex)
  ) {
    throw signatureError('its log entry is not complete');
  }
  const canonicalizedBody = Buffer.from(body, 'base64');
  const { kind, apiVersion } = parseJsonObject(canonicalizedBody, 'its log entry');
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, 'hex') },
    kindVersion: { kind: String(kind), version: String(apiVersion) },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: Buffer.from(promise, 'base64') },
    inclusionProof: undefined,
    canonicalizedBody,
  };
}

function readTimestamp(text: string): RFC3161Timestamp {
  const { SignedRFC3161Timestamp: timestamp } = parseJsonObject(text, 'its time stamp');
  if (typeof timestamp !== 'string') throw signatureError('its time stamp is not complete');
  return RFC3161Timestamp.parse(Buffer.from(timestamp, 'base64'));
}
