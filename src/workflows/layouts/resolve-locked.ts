import { DtError, isDtError, type ImageFailure } from '../../domain/errors.ts';
import type { ImagesLock, LockImage } from '../../domain/lock/images-lock.ts';
import { listPlatformManifests, type ResolvedImage } from '../../domain/lock/lock-platforms.ts';
import { formatReference, parseReference } from '../../domain/oci/reference.ts';
import { combineFailures, listFailures, tryAll, type Outcome } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import type { LockedImages } from '../locking/lock-images.ts';
import { resolveReferences, type SourceImage } from '../locking/resolve-images.ts';
import { openRepository } from '../registry-stores.ts';

/** Images of a lock with what is to be pulled for them. */
export type LockedSources = Pick<LockedImages, 'lock' | 'sources'>;

export interface ResolvedLock {
  /** Images that are at their source as the lock says. */
  readonly whole: LockedSources;
  /** Platforms, each by itself, of images that are something else now: their digests are there still. */
  readonly platforms: readonly LockedSources[];
}

type Whole = Omit<SourceImage, 'image'>;

/**
 * Finds the images of a lock, by digest where their tags have moved on. One error names all that are not there. Throws
 * DT_LOCK_INVALID for images without digests, and what registries say.
 */
export async function resolveLocked(lock: ImagesLock, context: RunContext): Promise<ResolvedLock> {
  const { images } = lock;
  const { references, outcomes } = await resolveReferences(
    images.map((image) => ({ ...image, image: sourceText(image) })),
    context,
  );
  const byText = new Map(references.map(({ text }, index) => [text, outcomes[index]]));
  const found = images.map((image) => checkFound(image, byText.get(sourceText(image))));
  const moved = images.filter((_, index) => found[index] === undefined);
  const pieces = await tryAll(moved, context, async (image, signal) =>
    Promise.all(image.digests.map(async ({ digest }) => readPlatform(lock, image, digest, { ...context, signal }))),
  );
  const failures: ImageFailure[] = [
    ...listFailures(images, found, ({ image }) => image),
    ...listFailures(moved, pieces, ({ image }) => image),
  ];
  if (failures.length > 0) throw combineFailures(failures, { totalCount: images.length, verb: 'found' });
  for (const { image } of moved) {
    context.reporter.warn(
      `${image} is not what the lock says any more: its platforms are pulled by their digests, without index and signatures`,
    );
  }
  const sources = images.flatMap((image, index) => {
    const outcome = found[index];
    return outcome !== undefined && 'result' in outcome ? [{ image, ...outcome.result }] : [];
  });
  return {
    whole: { lock, sources },
    platforms: pieces.flatMap((outcome) => ('result' in outcome ? outcome.result : [])),
  };
}

/** With the index of the lock, where it names one: a tag may have moved on. */
function sourceText({ image, indexDigest }: LockImage): string {
  return indexDigest === undefined ? image : formatReference({ ...parseReference(image), digest: indexDigest });
}

/** Undefined if the image has to be looked for by the digests of its platforms. */
function checkFound(image: LockImage, outcome: Outcome<Whole> | undefined): Outcome<Whole> | undefined {
  if (image.digests.length === 0) {
    const message = `the lock names no digest for ${image.image}`;
    return { error: new DtError('DT_LOCK_INVALID', message, { hints: ['{bin} images lock CHART'] }) };
  }
  if (outcome === undefined) throw new TypeError(`image ${image.image} was not resolved`);
  if ('error' in outcome) return isDtError(outcome.error, 'DT_NOT_FOUND') ? undefined : outcome;
  return covers(outcome.result.resolved, image) ? outcome : undefined;
}

function covers(resolved: ResolvedImage, { digests }: LockImage): boolean {
  const known = new Set(listPlatformManifests(resolved).map(({ digest }) => digest));
  return digests.every(({ digest }) => known.has(digest));
}

async function readPlatform(
  lock: ImagesLock,
  image: LockImage,
  digest: LockImage['digests'][number]['digest'],
  context: RunContext,
): Promise<LockedSources> {
  const store = openRepository(context, parseReference(image.image));
  const root = await store.readManifest(digest, { signal: context.signal });
  const digests = image.digests.filter((entry) => entry.digest === digest);
  return {
    lock: { ...lock, images: [{ ...image, digests }] },
    sources: [{ image, store, root, resolved: { kind: 'manifest', digest, platform: undefined } }],
  };
}
