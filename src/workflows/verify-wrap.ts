import { openWrapFile, type OpenWrapFile } from '../archive/wrap-file.ts';
import { WrapReader } from '../archive/wrap-reader.ts';
import type { DtError } from '../domain/errors.ts';
import { formatBytes, formatCount, formatDuration } from '../domain/format-quantity.ts';
import { listLockPlatforms, type LockPlatform } from '../domain/lock/images-lock.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { DamageList } from '../domain/wrap/wrap-damage.ts';
import { summarizeOmitted, wrapFolder, type OmittedSummary, type WrapKind } from '../domain/wrap/wrap-document.ts';
import type { TrustPolicy } from '../trust/trust-policy.ts';
import type { CheckedImage } from './verifying/check-images.ts';
import {
  checkImageSignatures,
  checkWrapSignature,
  isSigned,
  judgeSignatures,
  type SignatureReport,
} from './verifying/check-signatures.ts';
import { checkWrap, type CheckedWrap, type VerifyContext } from './verifying/check-wrap.ts';
import { requireSoundParts } from './verifying/check-parts.ts';
import { toDamageError, toFatalDamage } from './verifying/damage-error.ts';
import type { Progress } from './ports.ts';
import { readIndexedContent } from './verifying/read-indexed-content.ts';
import { readScannedContent } from './verifying/read-scanned-content.ts';
import { runStep } from './run-step.ts';
import { readTrustPolicy, readWrapSignature, type TrustOptions } from './verifying/trust-options.ts';
import type { WrapContent } from './verifying/wrap-content.ts';

export interface VerifyWrapOptions extends TrustOptions {
  readonly file: string;
}

export interface VerifyWrapResult {
  readonly file: string;
  readonly sizeBytes: number;
  readonly kind: WrapKind;
  readonly charts: readonly { readonly name: string; readonly version: string }[];
  readonly images: readonly {
    readonly reference: string;
    /** What the reference resolved to; absent where the wrap does not have it. */
    readonly digest?: Digest;
    readonly platforms: readonly LockPlatform[];
    /** Absent where nobody was named whose signatures count. */
    readonly isSigned?: boolean;
  }[];
  /** True if the images are only named. */
  readonly isLight: boolean;
  /** Blobs that were hashed, each copy counted. */
  readonly blobCount: number;
  readonly blobBytes: number;
  /** What a delta leaves out: the target must have it. */
  readonly omitted?: OmittedSummary;
  readonly durationMs: number;
  readonly signatures: readonly SignatureReport[];
}

interface Verification {
  readonly file: string;
  readonly opened: OpenWrapFile;
  readonly policy: TrustPolicy | undefined;
  readonly signature: { readonly bytes: Buffer } | undefined;
  readonly damages: DamageList;
}

interface ReadWrap {
  readonly content: WrapContent | undefined;
  readonly wrapSignature: SignatureReport | undefined;
}

/**
 * Proves a wrap without asking anybody: every byte, every place, the lock against the content in both directions, the chart, and where a key
 * or a name is given, the signatures. Nothing is unpacked. Throws one error with everything that is wrong, of the class of verification
 * (exit 3); DT_USAGE, DT_KEY_INVALID, DT_TRUSTED_ROOT_INVALID, DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE before the wrap is looked at.
 */
export async function verifyWrap(options: VerifyWrapOptions, context: VerifyContext): Promise<VerifyWrapResult> {
  const { file } = options;
  const policy = readTrustPolicy(options);
  const opened = await openWrapFile(file).catch((error: unknown) => {
    throw toFatalDamage(file, error);
  });
  try {
    const signature = readWrapSignature(opened.path, options);
    const verification = { file, opened, policy, signature, damages: new DamageList() };
    return await context.reporter.section(`Verifying "${file}"`, async () => verify(verification, context));
  } catch (error) {
    throw toFatalDamage(file, error);
  } finally {
    await opened.file.close();
  }
}

async function verify(verification: Verification, context: VerifyContext): Promise<VerifyWrapResult> {
  const { file, opened, policy, damages } = verification;
  const startedAt = performance.now();
  await requireSoundParts(opened, context);
  const reader = await WrapReader.open(file);
  try {
    const findFailure = (): DtError | undefined => toDamageError(file, damages);
    let knownCount = 0;
    const findNewFailure = (): DtError | undefined => (damages.count > knownCount ? findFailure() : undefined);
    const { content, wrapSignature } = await runStep(
      context.reporter,
      'Checking every byte',
      async (progress) => readWrap(reader, verification, progress, context),
      { findFailure: findNewFailure, done: (read) => describeRead(read, performance.now() - startedAt) },
    );
    knownCount = damages.count;
    if (content === undefined) throw findFailure() ?? new TypeError('a wrap without content is damaged');
    const { charts, images, isLight } = await runStep(
      context.reporter,
      'Checking charts and images',
      async () => checkWrap(content, damages, context),
      { findFailure: findNewFailure, done: describeChecked },
    );
    const reports = await checkImageSignatures(images, content.content, policy, context.signal);
    if (policy !== undefined) judgeSignatures(images, reports, wrapSignature, damages);
    const failure = findFailure();
    if (failure !== undefined) throw failure;
    const omitted = content.document === undefined ? undefined : summarizeOmitted(content.document);
    warnOfUnsignedChart(content, wrapSignature, policy, context);
    return {
      file,
      sizeBytes: opened.sizeBytes,
      kind: content.kind,
      charts,
      images: images.map((image) => describeImage(image, reports, policy)),
      isLight,
      blobCount: content.blobCount,
      blobBytes: content.blobBytes,
      ...(omitted === undefined ? {} : { omitted }),
      durationMs: Math.round(performance.now() - startedAt),
      signatures: [...(wrapSignature === undefined ? [] : [wrapSignature]), ...reports],
    };
  } finally {
    await reader?.close();
  }
}

/** The bytes of the entries, and beside them those of the whole file for its own signature. */
async function readWrap(
  reader: WrapReader | undefined,
  { file, opened, policy, signature, damages }: Verification,
  progress: Progress,
  { signal }: VerifyContext,
): Promise<ReadWrap> {
  const isSignatureRead = signature !== undefined && policy !== undefined;
  const { sizeBytes } = opened;
  if (reader !== undefined) progress.setTotalBytes(isSignatureRead ? 2 * sizeBytes : sizeBytes);
  const onBytes = (readBytes: number): void => {
    progress.addBytes(readBytes);
  };
  const options = { damages, progress, signal };
  const reads = await Promise.allSettled([
    reader === undefined ? readScannedContent(file, options) : readIndexedContent(reader, options),
    signature === undefined ? undefined : checkWrapSignature(opened.file, signature.bytes, policy, { onBytes, signal }),
  ]);
  const [content, wrapSignature] = reads;
  if (content.status === 'rejected') throw content.reason;
  if (wrapSignature.status === 'rejected') throw wrapSignature.reason;
  return { content: content.value, wrapSignature: wrapSignature.value };
}

function describeImage(
  { lockImage, graph, isRebuilt }: CheckedImage,
  reports: readonly SignatureReport[],
  policy: TrustPolicy | undefined,
): VerifyWrapResult['images'][number] {
  const root = graph?.root.descriptor.digest;
  return {
    reference: lockImage.image,
    ...(root === undefined || isRebuilt ? {} : { digest: root }),
    platforms: listLockPlatforms(lockImage),
    ...(policy === undefined ? {} : { isSigned: isSigned(lockImage.image, root, reports) }),
  };
}

/** Signatures of images say nothing about the chart that runs them. */
function warnOfUnsignedChart(
  { kind }: WrapContent,
  wrapSignature: SignatureReport | undefined,
  policy: TrustPolicy | undefined,
  { reporter }: VerifyContext,
): void {
  if (policy === undefined || kind === 'container' || wrapSignature?.status === 'valid') return;
  reporter.warn('Every image is signed, but the wrap is not: nobody vouches for the chart');
}

function describeRead({ content }: ReadWrap, durationMs: number): string {
  const [count, bytes] = [content?.blobCount ?? 0, content?.blobBytes ?? 0];
  return `${formatCount(count, 'blob')}, ${formatBytes(bytes)} in ${formatDuration(durationMs)}`;
}

function describeChecked({ charts, images, isLight }: CheckedWrap): string {
  const names = charts.map((chart) => wrapFolder(chart)).join(', ');
  const what = `${formatCount(images.length, 'image')}${isLight ? ', named only' : ''}`;
  return names === '' ? what : `${names}: ${what}`;
}
