import { DtError } from '../errors.ts';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
}

const PLATFORM_PATTERN = /^([a-z0-9_.-]+)\/([a-z0-9_.-]+)(?:\/([a-z0-9_.-]+))?$/i;

/** Parses `os/arch[/variant]`. Throws DT_BAD_PLATFORM. */
export function parsePlatform(text: string): Platform {
  const match = PLATFORM_PATTERN.exec(text.trim());
  const [, os, architecture, variant] = match ?? [];
  if (os === undefined || architecture === undefined) {
    throw new DtError('DT_BAD_PLATFORM', `"${text}" is not a platform of the form os/arch or os/arch/variant`);
  }
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/** `os/arch[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return platform.variant === undefined ? formatArch(platform) : `${formatArch(platform)}/${platform.variant}`;
}

/** `os/arch` without variant: the form of the `arch` field of Images.lock. */
export function formatArch(platform: Platform): string {
  return `${platform.os}/${platform.architecture}`;
}

/** True if the platform satisfies the wanted one; a wanted platform without variant takes every variant. */
export function matchesPlatform(platform: Platform, wanted: Platform): boolean {
  return (
    platform.os === wanted.os &&
    platform.architecture === wanted.architecture &&
    (wanted.variant === undefined || platform.variant === wanted.variant)
  );
}

/** Reads the platform of an index entry or of an image config. Returns undefined if os or architecture is missing. */
export function readPlatform(value: unknown): Platform | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const record = value as Record<string, unknown>;
  const { os, architecture, variant } = record;
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '') return undefined;
  const osVersion = record['os.version'];
  return {
    os,
    architecture,
    ...(typeof variant === 'string' && variant !== '' ? { variant } : {}),
    ...(typeof osVersion === 'string' && osVersion !== '' ? { osVersion } : {}),
  };
}
