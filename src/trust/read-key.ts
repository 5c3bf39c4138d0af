import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { hasBoundedDerivation } from './bounded-derivation.ts';
import { decryptCosignKey } from './decrypt-cosign-key.ts';
import { explainUnsupportedKey } from './key-algorithm.ts';

/** An RSA key of 8192 bits has 7 KiB. */
const MAX_KEY_FILE_BYTES = 64 * 1024;
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----\r?\n([\s\S]*?)-----END \1-----/;
const PUBLIC_LABELS = ['PUBLIC KEY', 'RSA PUBLIC KEY'];
const ENCRYPTED_PKCS8_LABEL = 'ENCRYPTED PRIVATE KEY';
const PRIVATE_LABELS = ['PRIVATE KEY', ENCRYPTED_PKCS8_LABEL, 'EC PRIVATE KEY', 'RSA PRIVATE KEY'];
const COSIGN_LABELS = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'];
/** What node:crypto says when a key is encrypted and there is no password. */
const PASSWORD_CODES: readonly (string | undefined)[] = [
  'ERR_MISSING_PASSPHRASE',
  'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED',
];

/**
 * Reads a public key in PEM form, as `cosign generate-key-pair` writes it: ECDSA (P-256, P-384, P-521), RSA or Ed25519. `name` is the file in messages.
 * Throws DT_KEY_INVALID, also for a private key or a certificate: neither is what people should hand round as a public key.
 */
export function readPublicKey(pem: string | Buffer, name: string): KeyObject {
  const block = findPemBlock(pem, name);
  if (!PUBLIC_LABELS.includes(block.label)) {
    throw keyError(name, `it holds "${block.label}", not a public key`);
  }
  return requireSupported(
    readWith(() => createPublicKey(block.text), name),
    name,
  );
}

/**
 * Reads a private key in PEM form: cosign's encrypted one, PKCS #8 plain or encrypted, SEC 1 (`EC PRIVATE KEY`), PKCS #1. The password is only used
 * where the key is encrypted; cosign's keys are always, possibly with an empty password. Throws DT_KEY_INVALID.
 */
export function readPrivateKey(pem: string | Buffer, name: string, password: string | undefined): KeyObject {
  const block = findPemBlock(pem, name);
  if (PRIVATE_LABELS.includes(block.label)) {
    if (block.label === ENCRYPTED_PKCS8_LABEL && !hasBoundedDerivation(Buffer.from(block.base64, 'base64'))) {
      throw keyError(name, 'its password is derived with far more work than is usual');
    }
    const passphrase = password === undefined ? {} : { passphrase: password };
    return requireSupported(
      readWith(() => createPrivateKey({ key: block.text, format: 'pem', ...passphrase }), name),
      name,
    );
  }
  if (!COSIGN_LABELS.includes(block.label)) throw keyError(name, `it holds "${block.label}", not a private key`);
  if (password === undefined) throw passwordError(name);
  const decrypted = decryptCosignKey(Buffer.from(block.base64, 'base64'), password);
  if ('problem' in decrypted) throw keyError(name, decrypted.problem);
  return requireSupported(
    readWith(() => createPrivateKey({ key: decrypted.pkcs8, format: 'der', type: 'pkcs8' }), name),
    name,
  );
}

function findPemBlock(pem: string | Buffer, name: string): { label: string; base64: string; text: string } {
  if (pem.length > MAX_KEY_FILE_BYTES) {
    throw keyError(name, `it is larger than ${String(MAX_KEY_FILE_BYTES)} bytes`);
  }
  const [text, label, base64] = PEM_BLOCK.exec(pem.toString()) ?? [];
  if (text === undefined || label === undefined || base64 === undefined) throw keyError(name, 'it is not a PEM file');
  return { label, base64, text };
}

function readWith(read: () => KeyObject, name: string): KeyObject {
  try {
    return read();
  } catch (error) {
    if (PASSWORD_CODES.includes(systemErrorCode(error))) throw passwordError(name);
    throw keyError(name, 'it cannot be read; if it is encrypted, the password may be wrong', error);
  }
}

function requireSupported(key: KeyObject, name: string): KeyObject {
  const problem = explainUnsupportedKey(key);
  if (problem !== undefined) throw keyError(name, problem);
  return key;
}

function passwordError(name: string): DtError {
  return keyError(name, 'it is encrypted and needs a password');
}

function keyError(name: string, reason: string, cause?: unknown): DtError {
  return new DtError('DT_KEY_INVALID', `cannot use the key ${name}: ${reason}`, { cause });
}
