import {
  parseCarvelLock,
  MAX_CARVEL_LOCK_BYTES,
  type LockedCarvelImage,
} from '../../domain/carvel/parse-carvel-lock.ts';
import type { PinnedReference } from '../../domain/carvel/pinned-reference.ts';
import { DtError } from '../../domain/errors.ts';
import { DEFAULT_TAG, parseReference, referenceIdentifier } from '../../domain/oci/reference.ts';
import type { RunContext } from '../context.ts';
import { readNamedBytes } from '../read-named-file.ts';
import { openRepository } from '../registry-stores.ts';

/** What the user names: a bundle or an image by reference, or a lock file. */
export interface SourceOptions {
  readonly bundle?: string | undefined;
  readonly image?: string | undefined;
  readonly lockFile?: string | undefined;
}

/** The bundle or the images that a command is about. */
export interface ChosenSource {
  /** What the images must be; those of an ImagesLock are plain images, too. */
  readonly kind: 'bundle' | 'image' | 'lock';
  readonly roots: readonly ChosenRoot[];
}

export interface ChosenRoot {
  readonly reference: PinnedReference;
  readonly tag?: string;
  readonly locked?: LockedCarvelImage;
}

/** Finds the digests of what the user names. Throws DT_BAD_REFERENCE, DT_LOCK_INVALID, DT_FILE_NOT_FOUND, and the registry errors. */
export async function chooseSource(options: SourceOptions, context: RunContext): Promise<ChosenSource> {
  const { bundle, image, lockFile } = options;
  if (bundle !== undefined) return { kind: 'bundle', roots: [await resolveRoot(bundle, context)] };
  if (image !== undefined) return { kind: 'image', roots: [await resolveRoot(image, context)] };
  if (lockFile === undefined) throw new TypeError('nothing to copy');
  const lock = parseCarvelLock(readNamedBytes(lockFile, MAX_CARVEL_LOCK_BYTES), lockFile);
  if (lock.kind === 'bundle') return { kind: 'bundle', roots: [lock.bundle] };
  return { kind: 'lock', roots: lock.images.map((locked) => ({ reference: locked.reference, locked })) };
}

/** The digest that a reference has, with its tag. */
export async function resolveRoot(text: string, context: RunContext): Promise<ChosenRoot> {
  const reference = parseReference(text);
  const { registry, repository, digest, tag } = reference;
  const store = openRepository(context, reference);
  const found = digest ?? (await store.resolve(referenceIdentifier(reference), context.signal)).digest;
  const given = tag ?? (digest === undefined ? DEFAULT_TAG : undefined);
  return { reference: { registry, repository, digest: found }, ...(given === undefined ? {} : { tag: given }) };
}

/** Throws DT_USAGE for a plain image where a bundle is wanted, and the reverse. */
export function requireKind(kind: ChosenSource['kind'], name: string, isBundle: boolean, lockFile?: string): void {
  if (kind === 'bundle' && !isBundle) {
    throw new DtError('DT_USAGE', `${name} is a plain image, not a bundle`, {
      hints: ['-i instead of -b for an image'],
    });
  }
  if (kind === 'image' && isBundle) {
    throw new DtError('DT_USAGE', `${name} is a bundle`, { hints: ['-b instead of -i for a bundle'] });
  }
  if (kind === 'lock' && isBundle) {
    throw new DtError('DT_LOCK_INVALID', `${lockFile ?? 'the lock'} names ${name}, which is a bundle`, {
      hints: ['push a bundle whose .imgpkg/images.yml names it, and copy that'],
    });
  }
}
