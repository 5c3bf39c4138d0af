import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BlobThread } from '../../archive/blob-thread.ts';
import { readPartialText } from '../../archive/partial-wrap.ts';
import { PARTIAL_EXTENSION } from '../../archive/wrap-writer.ts';
import { listGraphs } from '../../content/image-content.ts';
import { countBlobBytes } from '../../content/read-graph.ts';
import { DtError, errorMessage } from '../../domain/errors.ts';
import { formatBytes, formatCount, formatDuration } from '../../domain/format-quantity.ts';
import { formatLockPlatform, type LockImage } from '../../domain/lock/images-lock.ts';
import { wrapFolder } from '../../domain/wrap/wrap-document.ts';
import { acquireOutputLock } from '../../files/output-lock.ts';
import type { BlobSigner } from '../../trust/blob-signer.ts';
import type { RunContext } from '../context.ts';
import { gatherImages, toImageContent, type GatheredContent, type GatheredImage } from './gather-images.ts';
import type { LockedImages } from '../locking/lock-images.ts';
import type { Progress } from '../ports.ts';
import { openRepository } from '../registry-stores.ts';
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
  /** The signature of the file, where it was to be signed. */
  readonly signatureFile?: string;
  readonly images: readonly {
    readonly reference: string;
    readonly platforms: readonly string[];
    /** Signatures and the like that are in the wrap. */
    readonly attachedCount: number;
  }[];
}

/** Fetches the images of all folders into one file. The lock of an interrupted run is taken over where nothing else changed. */
export async function writeOutput(
  folders: readonly [FolderToWrite, ...FolderToWrite[]],
  outputFile: string,
  options: OutputOptions & { readonly signer?: BlobSigner | undefined },
  context: RunContext,
): Promise<WrapResult> {
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
        : async (partialPath: string) => signWrap(partialPath, signatureFile, signer, context);
    const images = await writeImages(ready, outputFile, { ...options, beforeRename }, context);
    if (signatureFile === undefined) await warnOfForeignSignature(outputFile, context);
    else context.reporter.info(`Signed: ${signatureFile}`);
    return {
      file: outputFile,
      sizeBytes: (await stat(outputFile)).size,
      ...(signatureFile === undefined ? {} : { signatureFile }),
      images: folders.flatMap(({ locked: { lock } }) => lock.images.map((image) => describeImage(image, images))),
    };
  } finally {
    await release();
  }
}

async function writeImages(
  folders: readonly [FolderToWrite, ...FolderToWrite[]],
  outputFile: string,
  options: OutputOptions & Pick<WrapToWrite, 'beforeRename'>,
  context: RunContext,
): Promise<readonly GatheredImage[]> {
  const { reporter } = context;
  const write = async (gathered: GatheredImage[][], progress: Progress, thread?: BlobThread): Promise<void> => {
    const [first, ...others] = folders.map((folder, index) => toWrapFolder(folder, gathered[index] ?? []));
    if (first === undefined) return;
    const { isCompatible, skipPreflight = false, beforeRename } = options;
    const contents = [
      ...gathered.flat().map(toImageContent),
      ...folders.flatMap((folder) => chartContent(folder, context)),
    ];
    await writeWrap(
      { folders: [first, ...others], contents, outputFile, isCompatible, skipPreflight, beforeRename, thread },
      context,
      progress,
    );
  };
  if (options.skipImages === true || folders.every(({ locked }) => locked.sources.length === 0)) {
    await reporter.step('Writing the wrap', async (progress) => write([], progress));
    return [];
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
          await write(gathered, progress, thread);
          return gathered.flat();
        } finally {
          await thread.close();
        }
      },
      (images) => describePulled(images, performance.now() - startedAt),
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
  const partialText = await readPartialText(outputFile + PARTIAL_EXTENSION, lockPath(name, chart !== undefined));
  const withoutTime = (text: string): string => text.replace(/^ *generatedAt: .*$/m, '');
  return partialText !== undefined && withoutTime(partialText) === withoutTime(lockText) ? partialText : lockText;
}

async function createParentFolder(outputFile: string): Promise<void> {
  try {
    await mkdir(dirname(resolve(outputFile)), { recursive: true });
  } catch (error) {
    throw new DtError('DT_OUTPUT_FAILED', `cannot create the folder of ${outputFile}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function describePulled(images: readonly GatheredImage[], durationMs: number): string {
  const totalBytes = countBlobBytes(images.flatMap(listGraphs));
  const artifacts = new Set(images.flatMap(({ attached }) => attached.map(({ artifact }) => artifact.digest)));
  const withArtifacts = artifacts.size === 0 ? '' : ` with ${formatCount(artifacts.size, 'attached artifact')}`;
  return `${formatCount(images.length, 'image')}${withArtifacts}, ${formatBytes(totalBytes)} in ${formatDuration(durationMs)}`;
}

function describeImage(lockImage: LockImage, images: readonly GatheredImage[]): WrapResult['images'][number] {
  const gathered = images.find((candidate) => candidate.lockImage === lockImage);
  return {
    reference: lockImage.image,
    platforms: lockImage.digests.map(formatLockPlatform),
    attachedCount: gathered?.attached.length ?? 0,
  };
}
