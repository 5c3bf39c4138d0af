import type { Digest } from '../oci/digest.ts';

/** Images.lock. The names of the fields are those of the file. */
export interface ImagesLock {
  /** `generatedAt`, `generatedBy` and whatever else the file has. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly chart: LockChart;
  readonly images: readonly LockImage[];
}

export interface LockChart {
  readonly name: string;
  readonly version: string;
  /** Empty if the chart has none. */
  readonly appVersion: string;
}

export interface LockImage {
  readonly name: string;
  /** The reference exactly as the chart has it. */
  readonly image: string;
  readonly chart: string;
  /** Empty if the image was not resolved. */
  readonly digests: readonly LockDigest[];
  /** Digest of the index at the source; only in locks that were made for some platforms. */
  readonly indexDigest?: Digest;
  /** Digest of the index that the target gets instead. */
  readonly targetIndexDigest?: Digest;
}

export interface LockDigest {
  /** Digest of the manifest of one platform. */
  readonly digest: Digest;
  /** `os/arch`, never with a variant. */
  readonly arch: string;
  /** Only in locks that were made for some platforms. */
  readonly variant?: string;
}

/** One platform of an image. */
export interface LockPlatform {
  /** Digest of its manifest. */
  readonly digest: Digest;
  /** `os/arch[/variant]`. */
  readonly platform: string;
}

export const LOCK_FILE_NAME = 'Images.lock';
export const LOCK_API_VERSION = 'v0';
export const LOCK_KIND = 'ImagesLock';
/** The Go tool and we write the same text, so that locks do not differ by the tool that made them. */
export const LOCK_GENERATED_BY = 'Distribution Tooling for Helm';

/** `os/arch[/variant]` of an entry. */
export function formatLockPlatform({ arch, variant }: Pick<LockDigest, 'arch' | 'variant'>): string {
  return variant === undefined ? arch : `${arch}/${variant}`;
}

/** The platforms of an image with their manifests. */
export function listLockPlatforms({ digests }: Pick<LockImage, 'digests'>): LockPlatform[] {
  return digests.map((entry) => ({ digest: entry.digest, platform: formatLockPlatform(entry) }));
}

/** The time of a lock: UTC, RFC 3339, a fraction without trailing zeros. */
export function formatLockTime(date: Date): string {
  return date.toISOString().replace(/\.(\d*?)0*Z$/, (_, fraction: string) => (fraction === '' ? 'Z' : `.${fraction}Z`));
}

/** True if both are the same entry: an image may stand in several charts, and under several names. */
export function isSameLockImage(
  left: Pick<LockImage, 'chart' | 'name' | 'image'>,
  right: Pick<LockImage, 'chart' | 'name' | 'image'>,
): boolean {
  return left.chart === right.chart && left.name === right.name && left.image === right.image;
}
