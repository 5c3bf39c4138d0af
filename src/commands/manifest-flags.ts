import type { Readable } from 'node:stream';
import type { Interfaces } from '@oclif/core';
import * as Flags from '@oclif/core/flags';
import { DtError } from '../domain/errors.ts';
import { parsePlatform, type Platform } from '../domain/oci/platform.ts';
import { STANDARD_STREAM } from '../domain/standard-stream.ts';
import type { ContextOptions } from '../workflows/create-context.ts';
import type { ResolutionOptions } from '../workflows/manifests/find-and-resolve.ts';
import type { LockOutputs } from '../workflows/manifests/write-image-locks.ts';
import type { ProgramContext } from './program-context.ts';
import { readRegistryFlags, REGISTRY_FLAGS } from './registry-flags.ts';

/** For every command that reads Kubernetes manifests. */
export const MANIFEST_FLAGS = {
  file: Flags.string({
    char: 'f',
    summary:
      'file or folder with manifests, locks and configurations of kbld, or - for standard input; may be repeated',
    helpValue: 'FILE',
    multiple: true,
    multipleNonGreedy: true,
    required: true,
  }),
  'imgpkg-lock-output': Flags.string({ summary: 'ImagesLock to write', helpValue: 'FILE' }),
  'lock-output': Flags.string({ summary: 'lock of kbld to write, a Config with the images', helpValue: 'FILE' }),
  'origins-annotation': Flags.boolean({
    summary: 'tell in the ImagesLock how each digest came about',
    default: true,
    allowNo: true,
  }),
  platform: Flags.string({
    summary: 'take one manifest of every index',
    helpValue: 'OS/ARCH[/VARIANT][:OSVERSION]',
  }),
  'image-map-file': Flags.string({
    summary: 'JSON object from images as they are written to what they are, as CNAB has it',
    helpValue: 'FILE',
  }),
  'registry-ca-cert-path': REGISTRY_FLAGS['registry-ca-cert-path'],
  'registry-insecure': REGISTRY_FLAGS['registry-insecure'],
  'registry-verify-certs': REGISTRY_FLAGS['registry-verify-certs'],
};

type ManifestFlags = Interfaces.InferredFlags<typeof MANIFEST_FLAGS>;

/** What those of the flags that are called as in kbld change in a run. */
export function readKbldRegistryFlags(
  flags: ManifestFlags & { readonly 'ca-file'?: readonly string[] | undefined },
): Partial<ContextOptions> {
  const absent = { 'registry-username': undefined, 'registry-password': undefined, 'registry-retry-count': undefined };
  // The variables of imgpkg say nothing to kbld.
  return readRegistryFlags({ ...flags, ...absent, 'registry-anon': false }, {}, () => []);
}

/** Throws DT_USAGE for two locks or for standard input twice, DT_BAD_PLATFORM. */
export function readManifestFlags(
  flags: ManifestFlags,
  context: Pick<ProgramContext, 'stdin'>,
): ResolutionOptions & LockOutputs {
  const { file: files, platform } = flags;
  if (flags['imgpkg-lock-output'] !== undefined && flags['lock-output'] !== undefined) {
    throw new DtError('DT_USAGE', 'only one lock can be written: --imgpkg-lock-output or --lock-output');
  }
  if (files.filter((file) => file === STANDARD_STREAM).length > 1) {
    throw new DtError('DT_USAGE', 'standard input can be read once: -f - is there twice');
  }
  return {
    files,
    stdin: (): Readable => context.stdin,
    platform: platform === undefined ? undefined : parseSystemPlatform(platform),
    imageMapFile: flags['image-map-file'],
    imgpkgLockFile: flags['imgpkg-lock-output'],
    kbldLockFile: flags['lock-output'],
    tellsOrigins: flags['origins-annotation'],
  };
}

/** Behind a colon stands the version of the operating system. */
function parseSystemPlatform(text: string): Platform {
  const colon = text.indexOf(':');
  if (colon === -1) return parsePlatform(text);
  const osVersion = text.slice(colon + 1);
  if (osVersion === '')
    throw new DtError('DT_BAD_PLATFORM', `"${text}" has a colon, but no version of the system behind it`);
  return { ...parsePlatform(text.slice(0, colon)), osVersion };
}
