/** Where the signature of a wrap lies beside it. */
export const SIGNATURE_EXTENSION = '.sigstore.json';
/** Of a key, or a trusted root. */
export const MAX_TRUST_FILE_BYTES = 1024 * 1024;
/** The password of an encrypted key, under the name that cosign has for it. */
export const KEY_PASSWORD_VARIABLE = 'COSIGN_PASSWORD';
