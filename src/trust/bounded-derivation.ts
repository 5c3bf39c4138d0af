import { ASN1Obj } from '@sigstore/core';

/** What password managers and OpenSSL use is far below: 2048 to a million. */
const MAX_ITERATIONS = 10_000_000n;

/**
 * True if the password of an encrypted PKCS #8 key is derived with numbers (rounds of PBKDF2, cost of scrypt) that end within seconds. A forged file
 * could ask for hours. https://www.rfc-editor.org/rfc/rfc8018#appendix-A.2
 */
export function hasBoundedDerivation(der: Buffer<ArrayBuffer>): boolean {
  try {
    const [algorithm] = ASN1Obj.parseBuffer(der).subs;
    return algorithm !== undefined && listIntegers(algorithm).every((value) => value <= MAX_ITERATIONS);
  } catch {
    return false;
  }
}

function listIntegers(node: ASN1Obj): bigint[] {
  return node.tag.isInteger() ? [node.toInteger()] : node.subs.flatMap(listIntegers);
}
