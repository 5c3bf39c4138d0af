import { DtError, type DtErrorOptions } from '../domain/errors.ts';

/** DT_SIGNATURE_INVALID with the reason. */
export function signatureError(reason: string, options: DtErrorOptions = {}): DtError {
  return new DtError('DT_SIGNATURE_INVALID', `the signature is not valid: ${reason}`, options);
}

/** DT_LIMIT_EXCEEDED if there is more than the limit. */
export function requireWithin(count: number, limit: number, what: string): void {
  if (count > limit) {
    throw new DtError('DT_LIMIT_EXCEEDED', `cannot check the signature: more than ${String(limit)} ${what}`);
  }
}
