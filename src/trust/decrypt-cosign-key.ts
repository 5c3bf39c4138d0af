import { scryptSync } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';

/**
 * The scrypt costs that keys of cosign have: N with r = 8, p = 1. Others are refused, because a forged file could ask for any amount of memory.
 * https://github.com/secure-systems-lab/go-securesystemslib/blob/v0.11.0/encrypted/encrypted.go
 */
const SCRYPT_COSTS: readonly unknown[] = [2 ** 15, 2 ** 16, 2 ** 17];
const SCRYPT_BLOCK_SIZE = 8;
const SCRYPT_PARALLELIZATION = 1;
/** OpenSSL counts a little more than the 128 * N * r bytes of the algorithm. */
const SCRYPT_MAX_MEMORY_BYTES = 160 * 1024 * 1024;
const KEY_BYTES = 32;
const NONCE_BYTES = 24;

/** The parts of the JSON document inside of the PEM block. */
interface EncryptedKey {
  readonly kdf?: {
    readonly name?: unknown;
    readonly params?: { readonly N?: unknown; readonly r?: unknown; readonly p?: unknown };
    readonly salt?: unknown;
  };
  readonly cipher?: { readonly name?: unknown; readonly nonce?: unknown };
  readonly ciphertext?: unknown;
}

/** What came of decrypting a key: its PKCS #8 bytes, or why there are none. */
export type DecryptedKey = { readonly pkcs8: Buffer } | { readonly problem: string };

/** Decrypts the content of a PEM block `ENCRYPTED SIGSTORE PRIVATE KEY` (or `… COSIGN …`). Takes up to 128 MiB and half a second. */
export function decryptCosignKey(content: Buffer, password: string): DecryptedKey {
  const document = parseDocument(content);
  const { N, r, p } = document?.kdf?.params ?? {};
  if (document?.kdf?.name !== 'scrypt' || document.cipher?.name !== 'nacl/secretbox') {
    return { problem: 'its encryption is not the one of cosign (scrypt and nacl/secretbox)' };
  }
  if (!SCRYPT_COSTS.includes(N) || r !== SCRYPT_BLOCK_SIZE || p !== SCRYPT_PARALLELIZATION) {
    return { problem: 'its scrypt parameters are none that cosign writes' };
  }
  const [salt, nonce, ciphertext] = [document.kdf.salt, document.cipher.nonce, document.ciphertext].map(readBase64);
  if (salt === undefined || ciphertext === undefined || nonce?.length !== NONCE_BYTES) {
    return { problem: 'its salt, nonce or ciphertext is not valid' };
  }
  const key = scryptSync(password, salt, KEY_BYTES, {
    N: N as number,
    r,
    p,
    maxmem: SCRYPT_MAX_MEMORY_BYTES,
  });
  try {
    return { pkcs8: Buffer.from(xsalsa20poly1305(key, nonce).decrypt(ciphertext)) };
  } catch {
    return { problem: 'the password is wrong, or the file is damaged' };
  }
}

function parseDocument(content: Buffer): EncryptedKey | undefined {
  try {
    return JSON.parse(content.toString()) as EncryptedKey;
  } catch {
    return undefined;
  }
}

function readBase64(value: unknown): Buffer | undefined {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
}
