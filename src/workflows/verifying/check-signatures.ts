import type { SegmentedFile } from '../../archive/segmented-file.ts';
import type { AttachedGraph } from '../../content/image-content.ts';
import type { CheckedContent } from '../../content/checked-content.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import { createBlobVerifier } from '../../trust/blob-verifier.ts';
import { MAX_SIGNATURE_BYTES } from '../../trust/parse-bundle.ts';
import type { Signer, TrustPolicy, VerifiedSignature } from '../../trust/trust-policy.ts';
import { MEDIA_TYPE_DSSE_ENVELOPE, verifyDsseLayer } from '../../trust/verify-dsse-layer.ts';
import { MEDIA_TYPE_SIGSTORE_BUNDLE, verifyImageBundle } from '../../trust/verify-image-bundle.ts';
import { MEDIA_TYPE_SIMPLE_SIGNING, verifySimpleSigning } from '../../trust/verify-simple-signing.ts';
import type { CheckedImage } from './check-images.ts';

/** Of one wrap; each takes a millisecond or more. */
const MAX_SIGNATURES = 10_000;

const FORMS: Readonly<Record<string, SignatureReport['form']>> = {
  [MEDIA_TYPE_SIGSTORE_BUNDLE]: 'bundle',
  [MEDIA_TYPE_SIMPLE_SIGNING]: 'classic',
  [MEDIA_TYPE_DSSE_ENVELOPE]: 'classic',
};

/** A signature or attestation that was found. */
export interface SignatureReport {
  /** The image whose lock entry it belongs to; absent for the signature of the wrap itself. */
  readonly image?: string;
  /** What it has to be about: the root of the image, or a manifest of one platform. */
  readonly subject?: Digest;
  /** A Sigstore bundle, or cosign's older form. */
  readonly form: 'bundle' | 'classic';
  readonly status: 'valid' | 'invalid' | 'unchecked';
  /** Unknown of a bundle that is not valid. */
  readonly kind?: VerifiedSignature['kind'];
  /** What an attestation states. */
  readonly predicateType?: string;
  readonly signer?: Signer;
  /** Why it is not valid. */
  readonly reason?: string;
}

/** Checks the signature of the wrap while all of it is read once. It says why it is not valid; an attestation is no signature. */
export async function checkWrapSignature(
  file: SegmentedFile,
  bundleBytes: Buffer,
  policy: TrustPolicy | undefined,
  { onBytes, signal }: { readonly onBytes: (sizeBytes: number) => void; readonly signal: AbortSignal },
): Promise<SignatureReport> {
  if (policy === undefined) return { form: 'bundle', status: 'unchecked' };
  try {
    const verifier = createBlobVerifier(bundleBytes, policy);
    for await (const chunk of file.stream(signal) as AsyncIterable<Buffer>) {
      verifier.update(chunk);
      onBytes(chunk.length);
    }
    const verified = verifier.finish();
    if (verified.kind !== 'signature')
      throw new DtError('DT_SIGNATURE_INVALID', 'it is an attestation, not a signature');
    return { form: 'bundle', status: 'valid', ...verified };
  } catch (error) {
    if (!isDtError(error, 'DT_SIGNATURE_INVALID', 'DT_LIMIT_EXCEEDED')) throw error;
    return { form: 'bundle', status: 'invalid', reason: error.message };
  }
}

/** Every signature and attestation that is attached to the images, checked where it is known whose should count. */
export async function checkImageSignatures(
  images: readonly CheckedImage[],
  content: CheckedContent,
  policy: TrustPolicy | undefined,
  signal: AbortSignal,
): Promise<SignatureReport[]> {
  const reports: SignatureReport[] = [];
  for (const { lockImage, graph, attached } of images) {
    const subjects = new Set(
      (graph === undefined ? [] : [graph.root, ...graph.manifests]).map(({ descriptor }) => descriptor.digest),
    );
    for (const { artifact, graph: signature } of attached) {
      signal.throwIfAborted();
      const { subject } = artifact;
      // Signatures of other artifacts say nothing about the image.
      if (!subjects.has(subject)) continue;
      for (const layer of listSignatureLayers(signature)) {
        if (reports.length >= MAX_SIGNATURES) {
          throw new DtError('DT_LIMIT_EXCEEDED', `${content.name} has more than ${String(MAX_SIGNATURES)} signatures`);
        }
        reports.push({ image: lockImage.image, subject, ...(await checkLayer(layer, subject, content, policy)) });
      }
    }
  }
  return reports;
}

/**
 * Decides whether the wrap can be trusted: by its own signature, or by those of all images. What speaks against it goes to the damages.
 * A signature of the wrap that is not valid always does.
 */
export function judgeSignatures(
  images: readonly CheckedImage[],
  reports: readonly SignatureReport[],
  wrapSignature: SignatureReport | undefined,
  damages: DamageList,
): void {
  if (wrapSignature?.status === 'valid') return;
  if (wrapSignature !== undefined) {
    damages.add('DT_SIGNATURE_INVALID', `the wrap's own signature does not count: ${wrapSignature.reason ?? ''}`);
  }
  if (images.length === 0)
    damages.add('DT_SIGNATURE_MISSING', 'the wrap is not signed, and it has no images that could be');
  for (const { lockImage, graph } of images) {
    const { image } = lockImage;
    if (isSigned(image, graph?.root.descriptor.digest, reports)) continue;
    const digest = graph?.root.descriptor.digest;
    const about = reports.filter(
      (report) => report.image === image && report.subject === digest && report.status === 'invalid',
    );
    if (digest === undefined)
      damages.add('DT_SIGNATURE_MISSING', 'the image is not in the wrap, so its signature cannot be checked', {
        image,
      });
    else if (about[0] === undefined)
      damages.add('DT_SIGNATURE_MISSING', `the image ${image} is not signed`, { digest, image });
    else
      damages.add('DT_SIGNATURE_INVALID', `no signature of the image ${image} counts: ${about[0].reason ?? ''}`, {
        digest,
        image,
      });
  }
}

/** True if a valid signature, not an attestation, is about the root of the image. */
export function isSigned(image: string, root: Digest | undefined, reports: readonly SignatureReport[]): boolean {
  return reports.some(
    (report) =>
      root !== undefined &&
      report.image === image &&
      report.subject === root &&
      report.status === 'valid' &&
      report.kind === 'signature',
  );
}

function listSignatureLayers({ root, manifests }: AttachedGraph['graph']): Descriptor[] {
  return [root, ...manifests].flatMap((content) => {
    const manifest = parseManifest(content);
    return manifest.kind === 'manifest'
      ? manifest.layers.filter(({ mediaType }) => FORMS[mediaType] !== undefined)
      : [];
  });
}

async function checkLayer(
  { mediaType, digest, annotations = {} }: Descriptor,
  subject: Digest,
  content: CheckedContent,
  policy: TrustPolicy | undefined,
): Promise<Pick<SignatureReport, 'form' | 'status' | 'kind' | 'predicateType' | 'signer' | 'reason'>> {
  const form = FORMS[mediaType] ?? 'bundle';
  const claimed = claimedKind(mediaType);
  if (policy === undefined) return { form, status: 'unchecked', ...claimed };
  try {
    const bytes = await content.readBytes(digest, MAX_SIGNATURE_BYTES);
    const verified =
      mediaType === MEDIA_TYPE_SIGSTORE_BUNDLE
        ? verifyImageBundle(bytes, subject, policy)
        : mediaType === MEDIA_TYPE_SIMPLE_SIGNING
          ? verifySimpleSigning(bytes, annotations, subject, policy)
          : verifyDsseLayer(bytes, annotations, subject, policy);
    return { form, status: 'valid', ...verified };
  } catch (error) {
    if (!isDtError(error, 'DT_SIGNATURE_INVALID', 'DT_LIMIT_EXCEEDED', 'DT_WRAP_INCOMPLETE')) throw error;
    return { form, status: 'invalid', reason: error.message, ...claimed };
  }
}

/** What cosign's older form is can be told by its media type. */
function claimedKind(mediaType: string): Pick<SignatureReport, 'kind'> {
  if (mediaType === MEDIA_TYPE_SIMPLE_SIGNING) return { kind: 'signature' };
  return mediaType === MEDIA_TYPE_DSSE_ENVELOPE ? { kind: 'attestation' } : {};
}
