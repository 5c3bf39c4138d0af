import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toOutputError } from '../../archive/output-path.ts';
import { CARVEL_LOCK_PATH } from '../../domain/carvel/carvel-lock.ts';
import { formatMovedLock } from '../../domain/carvel/moved-lock.ts';
import type { LockedCarvelImage } from '../../domain/carvel/parse-carvel-lock.ts';
import type { PinnedReference } from '../../domain/carvel/pinned-reference.ts';
import { DtError } from '../../domain/errors.ts';
import { digestAlgorithm, digestHex, type Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';
import { nameCarried } from './carried-image.ts';
import { requireKind } from './copy-source.ts';
import { locateImages, type LocatedImage } from './locate-images.ts';
import { findBundledImages } from './read-bundle.ts';
import { unpackImage } from './unpack-image.ts';

/** Bundles of bundles; more than this is a mistake. */
const MAX_NESTED_BUNDLES = 1_000;
const NESTED_FOLDER = '.imgpkg/bundles';

export interface PullingOptions {
  readonly kind: 'bundle' | 'image';
  /** Also the bundles that the bundle names. */
  readonly isRecursive: boolean;
  /** Refuse a bundle where an image is wanted. */
  readonly checksKind: boolean;
}

/** A bundle or an image in a folder. */
export interface PulledBundle {
  readonly reference: string;
  readonly digest: Digest;
  readonly folder: string;
  readonly kind: 'bundle' | 'image';
  /** True if the lock in the folder names the copies of the images. */
  readonly isLockRewritten: boolean;
}

/** Unpacks a bundle with those that it names into a folder that nobody else uses. */
export class BundlePulling {
  readonly nested: PulledBundle[] = [];
  readonly #folder: string;
  readonly #options: PullingOptions;
  readonly #context: RunContext;
  readonly #seen = new Set<Digest>();

  constructor(folder: string, options: PullingOptions, context: RunContext) {
    this.#folder = folder;
    this.#options = options;
    this.#context = context;
  }

  async pull(reference: PinnedReference): Promise<PulledBundle> {
    const { kind, checksKind } = this.#options;
    const pulled = await this.#pull(reference, this.#folder, (isBundle) => {
      if (kind === 'bundle' || checksKind) requireKind(kind, nameCarried({ reference }), isBundle);
    });
    return { ...pulled, kind };
  }

  async #pull(
    reference: PinnedReference,
    folder: string,
    checkKind?: (isBundle: boolean) => void,
  ): Promise<PulledBundle> {
    const { signal } = this.#context;
    const store = openRepository(this.#context, reference);
    const root = await store.readManifest(reference.digest, { signal });
    const manifest = parseManifest(root);
    if (manifest.kind === 'index') {
      throw new DtError('DT_USAGE', `${nameCarried({ reference })} is an index of several images`, {
        hints: ['-i with the digest of one of its images'],
      });
    }
    const bundled = await findBundledImages(store, root, signal);
    checkKind?.(bundled !== undefined);
    await unpackImage(store, manifest.layers, folder, signal);
    const isTreatedAsBundle = bundled !== undefined && this.#options.kind === 'bundle';
    const isLockRewritten = isTreatedAsBundle && (await this.#finishBundle(reference, folder, bundled));
    return { reference: nameCarried({ reference }), digest: reference.digest, folder, kind: 'bundle', isLockRewritten };
  }

  /** Returns true if the lock was rewritten. */
  async #finishBundle(bundle: PinnedReference, folder: string, images: readonly LockedCarvelImage[]): Promise<boolean> {
    this.#seen.add(bundle.digest);
    const located = await locateImages(bundle, images, this.#context);
    const isRewritten = located.every(({ isRelocated }) => isRelocated);
    if (isRewritten) await writeMovedLock(folder, located);
    if (this.#options.isRecursive) for (const image of located) await this.#pullNested(image);
    return isRewritten;
  }

  async #pullNested({ reference }: LocatedImage): Promise<void> {
    const { digest } = reference;
    if (this.#seen.has(digest)) return;
    this.#seen.add(digest);
    const { signal } = this.#context;
    const store = openRepository(this.#context, reference);
    const root = await store.readManifest(digest, { signal });
    if ((await findBundledImages(store, root, signal)) === undefined) return;
    if (this.nested.length >= MAX_NESTED_BUNDLES) {
      throw new DtError('DT_LIMIT_EXCEEDED', `there are more than ${String(MAX_NESTED_BUNDLES)} nested bundles`);
    }
    const folder = join(this.#folder, NESTED_FOLDER, `${digestAlgorithm(digest)}-${digestHex(digest)}`);
    this.nested.push(await this.#pull(reference, folder));
  }
}

async function writeMovedLock(folder: string, located: readonly LocatedImage[]): Promise<void> {
  const images = located.map(({ image, reference }) => ({ ...image, reference }));
  const place = join(folder, CARVEL_LOCK_PATH);
  try {
    await writeFile(place, formatMovedLock(images));
  } catch (error) {
    throw toOutputError(error, place);
  }
}
