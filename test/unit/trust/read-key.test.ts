import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomBytes, scryptSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { readPrivateKey, readPublicKey } from '../../../src/trust/read-key.ts';

const NAME = 'cosign.key';
const PASSWORD = 'not-a-secret';
const SALT = randomBytes(32);
const COSIGN_PARAMS: ScryptParams = { N: 2 ** 15, r: 8, p: 1 };
const derivedKeys = new Map<string, Buffer>();
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

const SUPPORTED = {
  'P-256': p256,
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  'RSA 2048': rsa,
  Ed25519: generateKeyPairSync('ed25519'),
};

for (const [name, { publicKey, privateKey }] of Object.entries(SUPPORTED)) {
  test(`reads public and private keys: ${name}`, () => {
    assert.ok(readPublicKey(spki(publicKey), NAME).equals(publicKey));
    assert.ok(readPrivateKey(pkcs8(privateKey), NAME, undefined).equals(privateKey));
  });
}

const UNSUPPORTED = {
  'secp256k1 (another curve)': generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  Ed448: generateKeyPairSync('ed448'),
  'X25519 (no signatures)': generateKeyPairSync('x25519'),
  'RSA of 1024 bits': generateKeyPairSync('rsa', { modulusLength: 1024 }),
  'RSA-PSS': generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
};

for (const [name, { publicKey, privateKey }] of Object.entries(UNSUPPORTED)) {
  test(`refuses ${name}`, () => {
    assert.throws(() => readPublicKey(spki(publicKey), NAME), { code: 'DT_KEY_INVALID' });
    assert.throws(() => readPrivateKey(pkcs8(privateKey), NAME, undefined), { code: 'DT_KEY_INVALID' });
  });
}

test('reads SEC 1, PKCS #1 and bytes, with text around the block', () => {
  const sec1 = p256.privateKey.export({ type: 'sec1', format: 'pem' });
  assert.ok(readPrivateKey(Buffer.from(`my key\n${sec1}\n`), NAME, undefined).equals(p256.privateKey));
  assert.ok(
    readPrivateKey(rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }), NAME, undefined).equals(rsa.privateKey),
  );
  assert.ok(readPublicKey(rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }), NAME).equals(rsa.publicKey));
});

test('reads encrypted PKCS #8 with its password only', () => {
  const pem = p256.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD });
  assert.ok(readPrivateKey(pem, NAME, PASSWORD).equals(p256.privateKey));
  assert.throws(() => readPrivateKey(pem, NAME, 'another'), { code: 'DT_KEY_INVALID' });
  assert.throws(() => readPrivateKey(pem, NAME, undefined), { code: 'DT_KEY_INVALID', message: /needs a password/ });
});

test('refuses encrypted PKCS #8 that would take hours to open', () => {
  const pem = p256.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD });
  const der = Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64');
  // OpenSSL writes 16 bytes of salt and 2048 rounds: an OCTET STRING and an INTEGER.
  const roundsAt = der.indexOf(Buffer.from('02020800', 'hex'));
  const saltAt = roundsAt - 18;
  assert.deepEqual([...der.subarray(saltAt, saltAt + 2)], [4, 16]);
  // Four bytes more for the number and four fewer for the salt: all lengths around stay.
  const withRounds = (hex: string): string =>
    toPem(
      Buffer.concat([
        der.subarray(0, saltAt),
        Buffer.from([4, 12]),
        der.subarray(saltAt + 2, saltAt + 14),
        Buffer.from(`0206${hex}`, 'hex'),
        der.subarray(roundsAt + 4),
      ]),
    );
  for (const rounds of ['000000989681', '7fffffffffff']) {
    assert.throws(() => readPrivateKey(withRounds(rounds), NAME, PASSWORD), { message: /more work/ });
  }
  // With few rounds, OpenSSL is asked, and cannot open it with this salt.
  assert.throws(() => readPrivateKey(withRounds('000000000800'), NAME, PASSWORD), { message: /cannot be read/ });
});

test('refuses an RSA key that takes long to check with', () => {
  const modulus = Buffer.alloc(16384 / 8, 0xff);
  const key = createPublicKey({ key: { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' }, format: 'jwk' });
  assert.throws(() => readPublicKey(spki(key), NAME), { code: 'DT_KEY_INVALID' });
});

for (const label of ['SIGSTORE', 'COSIGN']) {
  test(`reads ENCRYPTED ${label} PRIVATE KEY with its password only`, () => {
    const pem = encrypt({ label });
    assert.ok(readPrivateKey(pem, NAME, PASSWORD).equals(p256.privateKey));
    assert.throws(() => readPrivateKey(pem, NAME, 'another'), { code: 'DT_KEY_INVALID' });
    assert.throws(() => readPrivateKey(pem, NAME, undefined), { code: 'DT_KEY_INVALID', message: /needs a password/ });
  });
}

test('an empty password is a password', () => {
  assert.ok(readPrivateKey(encrypt({ password: '' }), NAME, '').equals(p256.privateKey));
});

const HOSTILE_KEYS: Readonly<Record<string, (document: EncryptedDocument) => unknown>> = {
  'scrypt that takes 1 TiB': (key) => withParams(key, { N: 2 ** 30, r: 1024, p: 1 }),
  'scrypt with a text as its cost': (key) => withParams(key, { N: '32768', r: 8, p: 1 }),
  'no scrypt parameters': (key) => ({ ...key, kdf: { ...key.kdf, params: undefined } }),
  'another derivation': (key) => ({ ...key, kdf: { ...key.kdf, name: 'none' } }),
  'another cipher': (key) => ({ ...key, cipher: { ...key.cipher, name: 'none' } }),
  'a short nonce': (key) => ({ ...key, cipher: { ...key.cipher, nonce: 'AAAA' } }),
  'a flipped bit': (key) => ({ ...key, ciphertext: flipBit(key.ciphertext) }),
  'no ciphertext': (key) => ({ ...key, ciphertext: undefined }),
  'a list': () => [],
  'a number': () => 5,
  null: () => null,
};

for (const [name, change] of Object.entries(HOSTILE_KEYS)) {
  test(`refuses an encrypted key with ${name}`, () => {
    assert.throws(() => readPrivateKey(encrypt({ change }), NAME, PASSWORD), { code: 'DT_KEY_INVALID' });
  });
}

// These would open with the right password, if they were tried.
for (const params of [
  { N: 2 ** 14, r: 8, p: 1 },
  { N: 2 ** 14, r: 16, p: 1 },
  { N: 2 ** 15, r: 4, p: 1 },
  { N: 2 ** 15, r: 8, p: 2 },
]) {
  test(`refuses a cost of scrypt that cosign does not write: ${JSON.stringify(params)}`, () => {
    assert.throws(() => readPrivateKey(encrypt({ params }), NAME, PASSWORD), { code: 'DT_KEY_INVALID' });
  });
}

for (const [name, text] of Object.entries({
  'an empty file': '',
  'a file that is not PEM': '{"kty":"EC"}',
  'PEM without an end': '-----BEGIN PUBLIC KEY-----\nAAAA\n',
  'PEM with other bytes': '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
  'a certificate': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  'a huge file': `${'#'.repeat(70_000)}${spki(p256.publicKey)}`,
})) {
  test(`refuses ${name}`, () => {
    assert.throws(() => readPublicKey(text, NAME), { code: 'DT_KEY_INVALID' });
    assert.throws(() => readPrivateKey(text, NAME, PASSWORD), { code: 'DT_KEY_INVALID' });
  });
}

test('does not take one kind of key for the other', () => {
  // node:crypto would derive the public key by itself.
  assert.throws(() => readPublicKey(pkcs8(p256.privateKey), NAME), { code: 'DT_KEY_INVALID' });
  assert.throws(() => readPrivateKey(spki(p256.publicKey), NAME, undefined), { code: 'DT_KEY_INVALID' });
});

interface EncryptedDocument {
  readonly kdf: Readonly<Record<string, unknown>>;
  readonly cipher: Readonly<Record<string, unknown>>;
  readonly ciphertext: string;
}

interface ScryptParams {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

interface EncryptOptions {
  readonly label?: string;
  readonly password?: string;
  readonly params?: ScryptParams;
  readonly change?: (document: EncryptedDocument) => unknown;
}

/** A key file like those of cosign. */
function encrypt({
  label = 'SIGSTORE',
  password = PASSWORD,
  params = COSIGN_PARAMS,
  change = (key) => key,
}: EncryptOptions): string {
  const nonce = randomBytes(24);
  const key = deriveKey(password, params);
  const der = p256.privateKey.export({ type: 'pkcs8', format: 'der' });
  const document = change({
    kdf: { name: 'scrypt', params, salt: SALT.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(xsalsa20poly1305(key, nonce).encrypt(der)).toString('base64'),
  });
  const base64 = Buffer.from(JSON.stringify(document)).toString('base64');
  return `-----BEGIN ENCRYPTED ${label} PRIVATE KEY-----\n${base64}\n-----END ENCRYPTED ${label} PRIVATE KEY-----\n`;
}

/** Each once: that takes as long as opening the key. */
function deriveKey(password: string, params: ScryptParams): Buffer {
  const name = JSON.stringify([password, params]);
  const key = derivedKeys.get(name) ?? scryptSync(password, SALT, 32, { ...params, maxmem: 64 * 1024 * 1024 });
  derivedKeys.set(name, key);
  return key;
}

function withParams(key: EncryptedDocument, params: unknown): unknown {
  return { ...key, kdf: { ...key.kdf, params } };
}

function flipBit(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  return bytes.toString('base64');
}

function toPem(der: Buffer): string {
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${der.toString('base64')}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
}

function spki(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' });
}

function pkcs8(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}
