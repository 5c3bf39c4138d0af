import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { toOutputError } from '../archive/output-path.ts';
import type { PinnedReference } from '../domain/carvel/pinned-reference.ts';
import { DtError } from '../domain/errors.ts';
import { BundlePulling, type PulledBundle, type PullingOptions } from './bundle/bundle-pulling.ts';
import { nameCarried } from './bundle/carried-image.ts';
import { chooseSource, type SourceOptions } from './bundle/copy-source.ts';
import { replaceFolder, requireReplaceable } from './bundle/replace-folder.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';

export interface PullBundleOptions extends SourceOptions, Omit<PullingOptions, 'kind'> {
  readonly outputFolder: string;
}

export interface PullBundleResult extends PulledBundle {
  readonly nested: readonly PulledBundle[];
}

/**
 * Unpacks a bundle or an image into a folder, whose former content goes when the new one is complete. A lock of which all images have moved
 * along with the bundle gets the new places. Throws DT_USAGE, DT_LOCK_INVALID, DT_OUTPUT_FAILED, what layers are refused for, and the registry errors.
 */
export async function pullBundle(options: PullBundleOptions, context: RunContext): Promise<PullBundleResult> {
  const { outputFolder } = options;
  const folder = resolve(outputFolder);
  requireReplaceable(outputFolder, folder, [resolve('.'), resolve(homedir())]);
  await requireFolder(folder);
  return nameSide('source', async () => {
    const { kind, roots } = await chooseSource(options, context);
    const [root] = roots;
    if (root === undefined || kind === 'lock') {
      throw new DtError('DT_USAGE', `${options.lockFile ?? ''} is not a BundleLock`, {
        hints: ['{bin} bundle copy --lock FILE … copies the images of an ImagesLock'],
      });
    }
    return context.reporter.step(
      `Pulling ${nameCarried(root)}`,
      async () => pullInto(folder, { ...options, kind, reference: root.reference }, context),
      ({ isLockRewritten, kind: pulled }) => describeLock(pulled, isLockRewritten),
    );
  });
}

async function pullInto(
  folder: string,
  options: PullingOptions & Pick<PullBundleOptions, 'outputFolder'> & { readonly reference: PinnedReference },
  context: RunContext,
): Promise<PullBundleResult> {
  const staged = join(dirname(folder), `.${basename(folder)}.${randomUUID()}.tmp`);
  try {
    await mkdir(staged, { recursive: true }).catch((error: unknown) => {
      throw toOutputError(error, folder);
    });
    const pulling = new BundlePulling(staged, options, context);
    const result = await pulling.pull(options.reference);
    await replaceFolder(staged, folder);
    const locate = (place: PulledBundle): PulledBundle => ({
      ...place,
      folder: join(options.outputFolder, place.folder.slice(staged.length)),
    });
    return { ...locate(result), nested: pulling.nested.map(locate) };
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

/** Throws DT_OUTPUT_FAILED if something else has the name. */
async function requireFolder(folder: string): Promise<void> {
  const stats = await stat(folder).catch(() => undefined);
  if (stats === undefined || stats.isDirectory()) return;
  throw new DtError('DT_OUTPUT_FAILED', `${folder} exists and is not a folder`);
}

function describeLock(kind: PulledBundle['kind'], isLockRewritten: boolean): string {
  if (kind === 'image') return 'unpacked';
  return isLockRewritten
    ? 'the lock names the copies of the images beside the bundle'
    : 'not all images are in the repository of the bundle: the lock stays as it is';
}
