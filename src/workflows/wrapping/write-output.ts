import type { Writable } from 'node:stream';
import { BlobThread } from '../../archive/blob-thread.ts';
import { readPartialText } from '../../archive/partial-wrap.ts';
import { PARTIAL_EXTENSION } from '../../archive/output-path.ts';
import type { SegmentedFile } from '../../archive/segmented-file.ts';
import type { WrittenWrap } from '../../archive/wrap-writer.ts';
import type { BaseContent } from '../../domain/wrap/base-content.ts';
import { wrapFolder } from '../../domain/wrap/wrap-document.ts';
import { acquireOutputLock } from '../../files/output-lock.ts';
import type { BlobSigner } from '../../trust/blob-signer.ts';
import type { RunContext } from '../context.ts';
import { planDelta, withoutOmitted, type Delta } from './delta.ts';
import { describeImage, describePulled, type WrappedImageResult } from './describe-pulled.ts';
import { gatherImages, toImageContent, type GatheredContent, type GatheredImage } from './gather-images.ts';
import type { LockedImages } from '../locking/lock-images.ts';
import type { Progress } from '../ports.ts';
import { openRepository } from '../registry-stores.ts';
import { createParentFolder } from './require-output-place.ts';
import { planSignature, signWrap, warnOfForeignSignature } from './sign-wrap.ts';
import { readSourceDateSeconds } from '../source-date.ts';
import { lockPath, type ChartToWrap, type WrapFolder } from './wrap-folder.ts';
import { writeWrap, type WrapToWrite } from './write-wrap.ts';

export interface OutputOptions {
  /** Leave the images out: a light wrap. */
  readonly skipImages?: boolean;
  /** No links between platform layouts, for the Go tool. */
  readonly isCompatible: boolean;
  /** Leave out signatures, attestations and what else is attached to the images. */
  readonly skipAttached?: boolean;
  /** Take layers that may not be distributed. */
  readonly includeNonDistributable?: boolean;
  /** Do not check beforehand whether the output can be written and has the space that it needs. */
  readonly skipPreflight?: boolean;
  /** The file of the private key that signs the wrap. */
  readonly signKeyFile?: string | undefined;
  /** Cut the wrap into parts of at most so many bytes. */
  readonly partBytes?: number | undefined;
  /** Where the wrap goes instead of into a file. */
  readonly stream?: Writable | undefined;
  /** Wraps, locks and inventories: what they have is left out. */
  readonly bases?: readonly string[];
}

/** A top folder of the wrap of which the images are still to be fetched. */
export interface FolderToWrite {
  readonly name: string;
  readonly chart?: ChartToWrap;
  readonly locked: LockedImages;
}

export interface WrapResult {
  readonly file: string;
  readonly sizeBytes: number;
  /** Of a wrap in parts, of which `file` is the name without number. */
  readonly parts?: readonly string[];
  /** The signature of the file, where it was to be signed. */
  readonly signatureFile?: string;
  /** Of a delta: the bytes of the blobs that its bases have. */
  readonly omittedBytes?: number;
  readonly images: readonly WrappedImageResult[];
}

/** Fetches the images of all folders into one file. The lock of an interrupted run is taken over where nothing else changed. */
export async function writeOutput(
  folders: readonly [FolderToWrite, ...FolderToWrite[]],
  outputFile: string,
  options: OutputOptions & { readonly signer?: BlobSigner | undefined; readonly base?: BaseContent | undefined },
  context: RunContext,
): Promise<WrapResult> {
  if (options.stream !== undefined) {
    return describeResult(folders, outputFile, await writeImages(folders, outputFile, options, context));
  }
  await createParentFolder(outputFile);
  const release = await acquireOutputLock(`${outputFile}${PARTIAL_EXTENSION}.lock`, outputFile);
  try {
    const [first, ...others] = folders;
    const withLock = async (folder: FolderToWrite): Promise<FolderToWrite> => ({
      ...folder,
      locked: { ...folder.locked, lockText: await chooseLockText(folder, outputFile, context) },
    });
    const ready = [await withLock(first), ...(await Promise.all(others.map(withLock)))] as const;
    const { signer } = options;
    const signatureFile = signer === undefined ? undefined : await planSignature(outputFile);
    const beforeRename =
      signer === undefined || signatureFile === undefined
        ? undefined
        : async (file: SegmentedFile) => signWrap(file, signatureFile, signer, context);
    const result = await writeImages(ready, outputFile, { ...options, beforeRename }, context);
    if (signatureFile === undefined) await warnOfForeignSignature(outputFile, context);
    else context.reporter.info(`Signed: ${signatureFile}`);
    return {
      ...describeResult(folders, outputFile, result),
      ...(signatureFile === undefined ? {} : { signatureFile }),
    };
  } finally {
    await release();
  }
}

/** What was written, and what was left out. */
interface WrittenImages {
  readonly images: readonly GatheredImage[];
  readonly delta?: Delta | undefined;
  readonly written: WrittenWrap;
}

function describeResult(
  folders: readonly FolderToWrite[],
  file: string,
  { images, delta, written: { sizeBytes, parts } }: WrittenImages,
): WrapResult {
  return {
    file,
    sizeBytes,
    ...(parts.length === 0 ? {} : { parts }),
    ...(delta === undefined ? {} : { omittedBytes: delta.omittedBytes }),
    images: folders.flatMap(({ locked: { lock } }) => lock.images.map((image) => describeImage(image, images))),
  };
}

async function writeImages(
  folders: readonly [FolderToWrite, ...FolderToWrite[]],
  outputFile: string,
  options: OutputOptions & Pick<WrapToWrite, 'beforeRename'> & { readonly base?: BaseContent | undefined },
  context: RunContext,
): Promise<WrittenImages> {
  const { reporter } = context;
  const write = async (
    gathered: GatheredImage[][],
    progress: Progress,
    thread?: BlobThread,
  ): Promise<WrittenImages> => {
    const [first, ...others] = folders.map((folder, index) => toWrapFolder(folder, gathered[index] ?? []));
    if (first === undefined) throw new TypeError('nothing to wrap');
    const { isCompatible, skipPreflight = false, beforeRename, base, partBytes, stream } = options;
    const charts = folders.flatMap((folder) => chartContent(folder, context));
    const all = [...gathered.flat().map(toImageContent), ...charts];
    const delta = base === undefined ? undefined : planDelta(gathered.flat(), charts, base);
    const contents = delta === undefined ? all : withoutOmitted(all, delta);
    const wrap = { folders: [first, ...others], contents, delta, outputFile, isCompatible } as const;
    const rest = { partBytes, stream, skipPreflight, beforeRename, thread };
    return { images: gathered.flat(), delta, written: await writeWrap({ ...wrap, ...rest }, context, progress) };
  };
  if (options.skipImages === true || folders.every(({ locked }) => locked.sources.length === 0)) {
    return reporter.step('Writing the wrap', async (progress) => write([], progress));
  }
  const startedAt = performance.now();
  return reporter.section('Pulling images', async () =>
    reporter.step(
      'Pulling',
      async (progress) => {
        const thread = new BlobThread();
        try {
          const gathered = await gatherImages(
            folders.map(({ locked }) => locked),
            options,
            context,
          );
          return await write(gathered, progress, thread);
        } finally {
          await thread.close();
        }
      },
      ({ images, delta }) => describePulled(images, delta, performance.now() - startedAt),
    ),
  );
}

/** What is attached to the chart lies where the chart came from. */
function chartContent({ chart }: FolderToWrite, context: RunContext): GatheredContent[] {
  const repository = chart?.origin.repository;
  const [first, ...others] = (chart?.attached ?? []).map(({ graph }) => graph);
  if (chart === undefined || repository === undefined || first === undefined) return [];
  return [{ name: wrapFolder(chart.metadata), store: openRepository(context, repository), graphs: [first, ...others] }];
}

function toWrapFolder({ name, chart, locked }: FolderToWrite, images: readonly GatheredImage[]): WrapFolder {
  const { lock, lockText } = locked;
  return {
    name,
    ...(chart === undefined ? {} : { chart }),
    lockText,
    images: images.length > 0 ? images : lock.images.map((lockImage) => ({ lockImage })),
  };
}

/** The lock of an interrupted run, if it is the same but for its time: then the bytes of that run fit. */
async function chooseLockText(
  { name, chart, locked: { lockText } }: FolderToWrite,
  outputFile: string,
  context: RunContext,
): Promise<string> {
  if (readSourceDateSeconds(context.environment) !== undefined) return lockText;
  const partialText = await readPartialText(outputFile, lockPath(name, chart !== undefined));
  const withoutTime = (text: string): string => text.replace(/^ *generatedAt: .*$/m, '');
  return partialText !== undefined && withoutTime(partialText) === withoutTime(lockText) ? partialText : lockText;
}
