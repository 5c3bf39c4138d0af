import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toTrustMaterial, type TrustMaterial } from '@sigstore/verify';
import { DtError } from '../domain/errors.ts';

/** The root of the public Sigstore has 7 KB. */
const MAX_TRUSTED_ROOT_BYTES = 1024 * 1024;
/** https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_trustroot.proto */
const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.[12]|\.v0\.\d+\+json)$/;

/**
 * Reads a `trusted_root.json`: the certificate authorities, logs and time stamp authorities that signatures are checked against.
 * `name` is the file in messages. Throws DT_TRUSTED_ROOT_INVALID.
 */
export function readTrustedRoot(bytes: Uint8Array, name: string): TrustMaterial {
  const reject = (reason: string, cause?: unknown): DtError =>
    new DtError('DT_TRUSTED_ROOT_INVALID', `cannot use the trusted root ${name}: ${reason}`, { cause });
  if (bytes.length > MAX_TRUSTED_ROOT_BYTES) throw reject(`it is larger than ${String(MAX_TRUSTED_ROOT_BYTES)} bytes`);
  const material = parseTrustedRoot(bytes, reject);
  if (material.certificateAuthorities.length === 0) throw reject('it names no certificate authority');
  return material;
}

function parseTrustedRoot(bytes: Uint8Array, reject: (reason: string, cause?: unknown) => DtError): TrustMaterial {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(Buffer.from(bytes).toString()));
    if (!MEDIA_TYPE.test(root.mediaType)) throw reject('it has another media type');
    return toTrustMaterial(root);
  } catch (error) {
    throw error instanceof DtError ? error : reject('it is not a Sigstore trusted root', error);
  }
}
