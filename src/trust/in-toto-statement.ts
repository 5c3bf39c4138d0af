import { digestAlgorithm, digestHex, type Digest } from '../domain/oci/digest.ts';
import { requireWithin, signatureError } from './signature-error.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
/** https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md */
const STATEMENT_TYPE = /^https:\/\/in-toto\.io\/Statement\/v(?:0\.1|1)$/;
const MAX_SUBJECTS = 1024;
/** What `cosign sign` states: nothing but that the signer vouches for the image. */
const SIGNATURE_PREDICATE_TYPE = 'https://sigstore.dev/cosign/sign/v1';

/** A signed statement about something that has one of these digests. */
export interface Statement {
  readonly kind: 'signature' | 'attestation';
  readonly predicateType: string;
  /** `ALGORITHM:HEX` of everything that it is about. */
  readonly subjects: ReadonlySet<string>;
}

/** Reads the payload of a DSSE envelope as an in-toto statement. Throws DT_SIGNATURE_INVALID, or DT_LIMIT_EXCEEDED for too many subjects. */
export function parseStatement(payloadType: string, payload: Uint8Array): Statement {
  if (payloadType !== PAYLOAD_TYPE) throw signatureError('what was signed is not an in-toto statement');
  const { _type: type, predicateType, subject } = parseJsonObject(payload, 'the in-toto statement');
  if (typeof type !== 'string' || !STATEMENT_TYPE.test(type) || typeof predicateType !== 'string') {
    throw signatureError('what was signed is not an in-toto statement');
  }
  if (!Array.isArray(subject)) throw signatureError('the in-toto statement has no subject');
  requireWithin(subject.length, MAX_SUBJECTS, 'subjects');
  return {
    kind: predicateType === SIGNATURE_PREDICATE_TYPE ? 'signature' : 'attestation',
    predicateType,
    subjects: new Set(subject.flatMap(listDigests)),
  };
}

/** Throws DT_SIGNATURE_INVALID unless the statement is about what has this digest. */
export function requireSubject(statement: Statement, subject: Digest): void {
  if (statement.subjects.has(`${digestAlgorithm(subject)}:${digestHex(subject)}`)) return;
  const [other = 'nothing'] = statement.subjects;
  throw signatureError(`it is about ${other.slice(0, 160)}, not about ${subject}`);
}

/** The JSON object in the bytes. Throws DT_SIGNATURE_INVALID. */
export function parseJsonObject(bytes: Uint8Array | string, what: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString());
    if (isRecord(value)) return value;
  } catch {
    // The same as any other value that is no object.
  }
  throw signatureError(`${what} is not a JSON object`);
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listDigests(subject: unknown): string[] {
  const digests = isRecord(subject) && isRecord(subject['digest']) ? subject['digest'] : {};
  return Object.entries(digests).flatMap(([algorithm, hex]) =>
    typeof hex === 'string' ? [`${algorithm}:${hex}`] : [],
  );
}
