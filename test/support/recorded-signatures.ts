import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../src/domain/oci/digest.ts';

/** What cosign 3.1.3 wrote with one key for a file and an image, without a transparency log. */
export interface CosignRecord {
  readonly publicKey: string;
  readonly file: string;
  readonly fileBundle: string;
  readonly image: Digest;
  readonly signatureBundle: string;
  readonly attestationBundle: string;
  readonly simpleSigning: { readonly payload: string; readonly annotations: Record<string, string> };
  readonly dsseLayer: { readonly envelope: string; readonly annotations: Record<string, string> };
}

export type RecordedFile = 'cosign-3.1.3.json' | 'npm-sigstore-2.0.0.sigstore.json' | 'trusted-root.json';

export function readRecorded(name: RecordedFile): Buffer {
  return readFileSync(join(import.meta.dirname, 'recorded-signatures', name));
}

export function readCosignRecord(): CosignRecord {
  return JSON.parse(readRecorded('cosign-3.1.3.json').toString()) as CosignRecord;
}
