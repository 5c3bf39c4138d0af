import { Readable } from 'node:stream';
import { listBundleFiles, type BundleFile } from '../archive/bundle-files.ts';
import { measureLayer, openLayer, type LayerOptions } from '../archive/bundle-layer.ts';
import { findTag } from '../content/copy-graph.ts';
import { verifyBlob } from '../content/verified-stream.ts';
import { buildBundleImage, bundleLabels, type BundleImage } from '../domain/carvel/bundle-image.ts';
import { CARVEL_LOCK_MODE, formatBundleLock } from '../domain/carvel/bundle-lock.ts';
import { contentTags } from '../domain/carvel/bundle-tags.ts';
import { DtError } from '../domain/errors.ts';
import { formatBytes, formatCount } from '../domain/format-quantity.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { DEFAULT_TAG, formatRepository, parseReference, type Reference } from '../domain/oci/reference.ts';
import { writeFileAtomically } from '../files/atomic-write.ts';
import type { RunContext } from './context.ts';
import { requireBundleFolder, requireImageFolder } from './bundle/bundle-folder.ts';
import { nameSide } from './name-side.ts';
import { requirePushPermission } from './preflight.ts';
import { openRepository } from './registry-stores.ts';

export interface PushBundleOptions extends LayerOptions {
  readonly kind: 'bundle' | 'image';
  /** Where it goes; without a tag `latest`. */
  readonly reference: string;
  /** Files and folders. */
  readonly files: readonly string[];
  readonly exclusions: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Where a BundleLock is written. */
  readonly lockOutput?: string | undefined;
}

export interface PushBundleResult {
  readonly reference: string;
  readonly digest: Digest;
  readonly files: readonly string[];
  readonly layerBytes: number;
  /** True if the registry had it under this tag. */
  readonly isPresent: boolean;
  readonly lockFile?: string;
}

/**
 * Pushes files and folders as a bundle, or as a plain image. The same files give the same digest, and nothing is sent again. Nothing is held in memory
 * or put on disk: files are read once to learn the digest, and once more to send them. Throws DT_USAGE, DT_LOCK_INVALID for a bundle whose lock
 * imgpkg would not take, DT_FILE_NOT_FOUND, DT_UNSAFE_ENTRY, and the registry errors.
 */
export async function pushBundle(options: PushBundleOptions, context: RunContext): Promise<PushBundleResult> {
  const { kind, exclusions, lockOutput } = options;
  const target = parseTarget(options.reference);
  const labels = bundleLabels(options.labels, kind === 'bundle');
  const files = await listBundleFiles(options.files, new Set(exclusions));
  await (kind === 'bundle' ? requireBundleFolder : requireImageFolder)(options.files, files);
  return nameSide('destination', async () =>
    context.reporter.section(`Pushing ${kind} ${options.reference}`, async () => {
      await requirePushPermission([target], context);
      const image = await context.reporter.step(
        'Reading the files',
        async () => buildBundleImage(await measureLayer(files, options), labels),
        () => formatCount(files.filter(({ type }) => type === 'file').length, 'file'),
      );
      const isPresent = await push(image, { files, target, options }, context);
      const { digest } = image.manifest.descriptor;
      if (lockOutput !== undefined) {
        const { registry, repository, tag } = target;
        const text = formatBundleLock({ reference: { registry, repository, digest }, tag });
        await writeFileAtomically(lockOutput, text, { mode: CARVEL_LOCK_MODE });
      }
      return {
        reference: `${formatRepository(target)}@${digest}`,
        digest,
        files: files.map(({ path }) => path),
        layerBytes: image.layer.size,
        isPresent,
        ...(lockOutput === undefined ? {} : { lockFile: lockOutput }),
      };
    }),
  );
}

function parseTarget(text: string): Reference & { readonly tag: string } {
  const { digest, tag = DEFAULT_TAG, ...place } = parseReference(text);
  if (digest === undefined) return { ...place, tag };
  throw new DtError('DT_USAGE', `"${text}" has a digest: what is pushed gets one of its own`);
}

async function push(
  { manifest, config, layer }: BundleImage,
  {
    files,
    target,
    options,
  }: {
    readonly files: readonly BundleFile[];
    readonly target: Reference & { readonly tag: string };
    readonly options: LayerOptions;
  },
  context: RunContext,
): Promise<boolean> {
  const { reporter, signal } = context;
  const store = openRepository(context, target, 'push');
  const { digest } = manifest.descriptor;
  const tags = [target.tag, ...contentTags(digest)];
  const previous = await findTag(store, target.tag, signal);
  if (previous !== undefined && previous !== digest) {
    reporter.warn(`overwriting ${store.name}:${target.tag} (was ${previous})`);
  }
  await reporter.step(
    'Pushing',
    async (progress) => {
      progress.setTotalBytes(layer.size);
      const onBytes = (sizeBytes: number): void => {
        progress.addBytes(sizeBytes);
      };
      // Files that have changed meanwhile give another layer.
      const open = async (): Promise<Readable> =>
        Promise.resolve(verifyBlob(openLayer(files, options), layer, 'the files as they are now', onBytes));
      await store.writeBlob(layer, open, { signal });
      const openConfig = async (): Promise<Readable> =>
        Promise.resolve(Readable.from([config.bytes], { objectMode: false }));
      await store.writeBlob(config.descriptor, openConfig, { signal });
      await store.writeManifest(manifest, tags, signal);
    },
    () => `${store.name}:${target.tag} is ${digest} (${formatBytes(layer.size)})`,
  );
  const stored = await findTag(store, target.tag, signal);
  if (stored === digest) return previous === digest;
  throw new DtError(
    'DT_DIGEST_MISMATCH',
    `${store.name}:${target.tag} is ${stored ?? 'missing'} after the push, not ${digest}`,
  );
}
