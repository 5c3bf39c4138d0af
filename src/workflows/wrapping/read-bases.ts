import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { readGraph } from '../../content/read-graph.ts';
import { DtError, EXIT_CODES, systemErrorCode } from '../../domain/errors.ts';
import type { LockDigest, LockImage } from '../../domain/lock/images-lock.ts';
import { parseImagesLock } from '../../domain/lock/parse-lock.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import { formatRepository, parseReference } from '../../domain/oci/reference.ts';
import { BaseContent } from '../../domain/wrap/base-content.ts';
import { isInventory, MAX_INVENTORY_BYTES, parseInventory } from '../../domain/wrap/inventory.ts';
import { isBaseName, type WrapBase } from '../../domain/wrap/wrap-base.ts';
import { WRAP_EXTENSION } from '../../domain/wrap/wrap-document.ts';
import { MAX_BASES } from '../../domain/wrap/wrap-limits.ts';
import { listFailures, tryAll } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { openWrap } from '../opening/open-wrap.ts';
import { readNamedBytes } from '../read-named-file.ts';
import { openRepository } from '../registry-stores.ts';
import { isLargeBlob } from './layout-writer.ts';

const GZIP_MARK = Buffer.from([0x1f, 0x8b]);

interface Base extends WrapBase {
  readonly path: string;
  /** Of a lock or an inventory. */
  readonly bytes?: Buffer;
}

/**
 * Reads what a delta adds to: wraps, locks, and inventories of registries; undefined without any. A lock knows digests of manifests only,
 * which are read from its registries; nothing is left out for one that is not there any more. Throws DT_USAGE for what cannot be a
 * delta, DT_FILE_NOT_FOUND, and the codes of damaged wraps, DT_LOCK_INVALID and DT_INVENTORY_INVALID.
 */
export async function readBases(
  paths: readonly string[],
  options: { readonly isCompatible: boolean; readonly skipImages?: boolean },
  context: RunContext,
): Promise<BaseContent | undefined> {
  if (paths.length === 0) return undefined;
  const refuse = (why: string): DtError => new DtError('DT_USAGE', `--base ${why}`);
  if (options.isCompatible) throw refuse('and --compat cannot be used together: the Go dt needs all of a wrap');
  if (options.skipImages === true) throw refuse('and --skip-pull-images cannot be used together');
  if (paths.length > MAX_BASES) throw refuse(`can be given ${String(MAX_BASES)} times at most`);
  return context.reporter.step('Reading what the delta adds to', async () => {
    const bases = await Promise.all(paths.map(openBase));
    const content = new BaseContent(bases.map(({ kind, name }) => ({ kind, name })));
    for (const base of bases) await READERS[base.kind](base, content, context);
    return content;
  });
}

const READERS: Readonly<
  Record<WrapBase['kind'], (base: Base, content: BaseContent, context: RunContext) => Promise<void>>
> = {
  wrap: async ({ path }, content, context) => addWrap(path, content, context),
  lock: async ({ path, bytes }, content, context) => {
    const { chart, images } = parseImagesLock(bytes?.toString('utf8') ?? '', path);
    if (chart.name === '' && images.length === 0) {
      throw new DtError('DT_LOCK_INVALID', `${path} is neither a wrap nor a lock nor an inventory`);
    }
    await addLock(path, images, content, context);
  },
  inventory: async ({ path, bytes }, content) => {
    const { repositories, sizes } = parseInventory(bytes ?? Buffer.alloc(0), path);
    for (const { name, blobs } of repositories) {
      for (const digest of blobs) content.add({ digest, size: sizes[digest] ?? 0 }, 'targets', name);
    }
    return Promise.resolve();
  },
};

async function openBase(path: string): Promise<Base> {
  const name = basename(path);
  if (!isBaseName(name)) throw new DtError('DT_USAGE', `a base cannot have the name ${JSON.stringify(name)}`);
  if (path.endsWith(WRAP_EXTENSION) || (await isGzip(path))) return { kind: 'wrap', name, path };
  const bytes = readNamedBytes(path, MAX_INVENTORY_BYTES);
  return { kind: isInventory(bytes) ? 'inventory' : 'lock', name, path, bytes };
}

async function isGzip(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(GZIP_MARK.length), 0, GZIP_MARK.length, 0);
      return buffer.subarray(0, bytesRead).equals(GZIP_MARK);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT')
      throw new DtError('DT_FILE_NOT_FOUND', `there is no file ${path}`, { cause: error });
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}

async function addWrap(path: string, content: BaseContent, context: RunContext): Promise<void> {
  const wrap = await openWrap(path, context);
  try {
    for (const folder of wrap.folders) {
      const { images } = folder.lock;
      if (!folder.hasContent && images.length > 0) {
        throw new DtError('DT_USAGE', `${path} is a light wrap: it names images but does not hold them`);
      }
      for (const image of images) addImage(image, (await folder.readImage(image, context)).graph.blobs, content);
    }
  } finally {
    await wrap.close();
  }
}

async function addLock(
  path: string,
  images: readonly LockImage[],
  content: BaseContent,
  context: RunContext,
): Promise<void> {
  const wanted = images.flatMap((image) => image.digests.map((entry) => ({ image, entry })));
  const outcomes = await tryAll(wanted, context, async ({ image, entry }, signal) =>
    readLockedBlobs(image, entry, { ...context, signal }),
  );
  for (const [index, outcome] of outcomes.entries()) {
    const image = wanted[index]?.image;
    if (image !== undefined && 'result' in outcome) addImage(image, outcome.result, content);
  }
  for (const { image, error } of listFailures(wanted, outcomes, (item) => item.image.image)) {
    if (error.exitCode === EXIT_CODES.verification) throw error;
    context.reporter.warn(`nothing is left out for ${image} of ${path}: ${error.message}`);
  }
}

async function readLockedBlobs(
  { image }: LockImage,
  { digest }: LockDigest,
  context: RunContext,
): Promise<readonly Descriptor[]> {
  const store = openRepository(context, parseReference(image));
  const { concurrency, signal } = context;
  return (await readGraph(store, await store.readManifest(digest, { signal }), { concurrency, signal })).blobs;
}

function addImage({ image }: LockImage, blobs: readonly Descriptor[], content: BaseContent): void {
  const repository = formatRepository(parseReference(image));
  for (const blob of blobs.filter(isLargeBlob)) content.add(blob, 'sources', repository);
}
