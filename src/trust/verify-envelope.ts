import { dsse } from '@sigstore/core';
import { parseStatement, type Statement } from './in-toto-statement.ts';
import { signatureError } from './signature-error.ts';
import type { Signer, TrustPolicy } from './trust-policy.ts';
import type { Evidence } from './verify-identity.ts';
import { verifySignedBytes } from './verify-signed-bytes.ts';

/** A DSSE envelope, decoded. https://github.com/secure-systems-lab/dsse/blob/v1.0.0/envelope.md */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly { readonly sig: Buffer }[];
}

/**
 * Checks the one signature of an envelope and reads the statement in it, whose subject the caller has to look at.
 * `timestamped` is what time stamps are made over, if not the signature. Throws DT_SIGNATURE_INVALID.
 */
export function verifyEnvelope(
  { payloadType, payload, signatures }: Envelope,
  readEvidence: () => Evidence,
  policy: TrustPolicy,
  timestamped?: Buffer,
): { readonly statement: Statement; readonly signer: Signer } {
  const [first] = signatures;
  if (first === undefined || signatures.length !== 1) throw signatureError('its envelope must have one signature');
  const bytes = dsse.preAuthEncoding(payloadType, payload);
  const stamped = timestamped === undefined ? {} : { timestamped };
  const signer = verifySignedBytes({ bytes, payload, signature: first.sig, ...stamped }, readEvidence, policy);
  return { statement: parseStatement(payloadType, payload), signer };
}
