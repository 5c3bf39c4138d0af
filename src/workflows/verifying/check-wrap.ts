import { isDtError } from '../../domain/errors.ts';
import { LOCK_FILE_NAME, type ImagesLock } from '../../domain/lock/images-lock.ts';
import { parseImagesLock } from '../../domain/lock/parse-lock.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { checkWrapLock } from '../../domain/wrap/check-wrap-lock.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import { CHART_FOLDER, listOmitted, WRAP_DISCOVERY_PATH, type WrapKind } from '../../domain/wrap/wrap-document.ts';
import { parseJson } from '../../domain/wrap/wrap-json.ts';
import { checkChart } from './check-charts.ts';
import { checkGraphContent, GraphCache, type GraphCheck } from './check-graph.ts';
import { checkGoImages, checkWrappedImages, type CheckedImage } from './check-images.ts';
import { checkLayouts, checkPlatformLayouts } from './check-layouts.ts';
import type { RunContext } from '../context.ts';
import { GoArtifacts } from '../opening/go-artifacts.ts';
import type { ContentFolder, WrapContent } from './wrap-content.ts';

/** What verifying needs of a run: it asks nobody. */
export type VerifyContext = Pick<RunContext, 'reporter' | 'signal'>;

export interface CheckedWrap {
  readonly charts: readonly { readonly name: string; readonly version: string }[];
  readonly images: readonly CheckedImage[];
  /** True if the images are only named. */
  readonly isLight: boolean;
}

/**
 * Checks layouts, charts, locks and images of a wrap whose bytes are sound. What is wrong goes to the damages. Throws DT_INTERRUPTED, and
 * what nobody foresaw.
 */
export async function checkWrap(wrap: WrapContent, damages: DamageList, context: VerifyContext): Promise<CheckedWrap> {
  const { document, content } = wrap;
  const listed = document === undefined ? undefined : new Set(document.blobs.map(({ digest }) => digest));
  const check: GraphCheck = {
    content,
    damages,
    signal: context.signal,
    isListed: (digest) => listed?.has(digest) ?? content.has(digest),
    omitted: new Map(document === undefined ? [] : listOmitted(document).map(({ digest, size }) => [digest, size])),
    needed: new Set<Digest>(),
    graphs: new GraphCache(content.name),
  };
  checkLayouts(wrap, damages);
  checkDiscovery(wrap, damages);
  const charts: { name: string; version: string }[] = [];
  const images: CheckedImage[] = [];
  let isLight = false;
  for (const folder of wrap.folders) {
    const chart = await checkChart(folder, check, context.reporter);
    if (chart !== undefined) charts.push({ name: chart.metadata.name, version: chart.metadata.version });
    const lock = readLock(folder, wrap, damages);
    if (lock === undefined) continue;
    const found = await checkFolderImages(folder, lock, wrap, check, context);
    images.push(...found.images);
    isLight ||= found.isLight;
  }
  checkFolders(wrap, damages);
  // Of a damaged wrap it is not known what it needs.
  if (damages.count === 0) checkNeeded(wrap, check.needed, damages);
  return { charts, images, isLight };
}

async function checkFolderImages(
  folder: ContentFolder,
  lock: ImagesLock,
  wrap: WrapContent,
  check: GraphCheck,
  context: VerifyContext,
): Promise<{ readonly images: CheckedImage[]; readonly isLight: boolean }> {
  const { damages } = check;
  const layoutFolder = `${folder.name === '' ? '' : `${folder.name}/`}images/`;
  if (wrap.document === undefined) {
    const isLight = lock.images.length > 0 && ![...wrap.layouts.keys()].some((path) => path.startsWith(layoutFolder));
    if (isLight)
      return { images: lock.images.map((lockImage) => ({ lockImage, isRebuilt: false, attached: [] })), isLight };
    const images = await checkGoImages(lock, wrap.artifacts, check);
    await checkGoChartArtifacts(lock, wrap, check, context);
    await checkPlatformLayouts(layoutFolder, lock, wrap, damages);
    return { images, isLight };
  }
  const images = wrap.document.images.filter((image) => image.folder === undefined || image.folder === folder.name);
  const isLight = images.length > 0 && images.every(({ digest }) => digest === undefined);
  checkWrapLock({ lockPath: lockPathOf(folder, wrap.kind), lock, images, isLight }, damages);
  if (!isLight) await checkPlatformLayouts(layoutFolder, lock, wrap, damages);
  return { images: await checkWrappedImages(lock, images, check), isLight };
}

/** Metadata of the chart, and its signature, as the Go tool keeps them. */
async function checkGoChartArtifacts(
  lock: ImagesLock,
  { content, artifacts }: WrapContent,
  check: GraphCheck,
  context: VerifyContext,
): Promise<void> {
  try {
    const attached = await new GoArtifacts(content, artifacts).readForChart(lock.chart.version, {
      signal: context.signal,
      concurrency: 1,
    });
    for (const { graph } of attached) checkGraphContent(graph, {}, check);
  } catch (error) {
    if (context.signal.aborted || !isDtError(error)) throw error;
    check.damages.addError(error);
  }
}

function readLock(folder: ContentFolder, { kind }: WrapContent, damages: DamageList): ImagesLock | undefined {
  const entry = lockPathOf(folder, kind);
  if (folder.lockBytes === undefined) {
    damages.add('DT_WRAP_INCOMPLETE', 'there is no lock, so nobody knows what the images should be', { entry });
    return undefined;
  }
  try {
    return parseImagesLock(Buffer.from(folder.lockBytes).toString('utf8'), LOCK_FILE_NAME);
  } catch (error) {
    if (!isDtError(error)) throw error;
    damages.addError(error, { entry });
    return undefined;
  }
}

function lockPathOf({ name }: ContentFolder, kind: WrapKind): string {
  const parts = kind === 'container' ? [name, LOCK_FILE_NAME] : [name, CHART_FOLDER, LOCK_FILE_NAME];
  return parts.filter((part) => part !== '').join('/');
}

function checkDiscovery({ document, discovery }: WrapContent, damages: DamageList): void {
  if (document === undefined || document.kind === 'container') return;
  if (discovery === undefined) {
    damages.add('DT_WRAP_INCOMPLETE', 'the entry is missing', { entry: WRAP_DISCOVERY_PATH });
    return;
  }
  try {
    const parsed = parseJson(discovery, WRAP_DISCOVERY_PATH) as { readonly charts?: unknown } | null;
    if (!Array.isArray(parsed?.charts))
      damages.add('DT_WRAP_INVALID', 'it has no list of charts', { entry: WRAP_DISCOVERY_PATH });
  } catch (error) {
    if (!isDtError(error)) throw error;
    damages.addError(error, { entry: WRAP_DISCOVERY_PATH });
  }
}

/** Every image belongs to a folder, and no folder is there twice. */
function checkFolders({ document, folders, kind }: WrapContent, damages: DamageList): void {
  if (document === undefined) return;
  const names = folders.map(({ name }) => name);
  if (new Set(names).size !== names.length) damages.add('DT_WRAP_INVALID', 'two charts lie in one folder');
  if (kind === 'chart' && names.length === 0) damages.add('DT_WRAP_INVALID', 'the wrap holds no chart');
  for (const { folder, reference } of document.images) {
    if (folder === undefined || names.includes(folder)) continue;
    damages.add('DT_LOCK_MISMATCH', `${reference} belongs to ${folder}, of which there is no chart`, {
      image: reference,
    });
  }
}

/** What nothing needs has no business in a wrap. */
function checkNeeded({ document }: WrapContent, needed: ReadonlySet<Digest>, damages: DamageList): void {
  for (const { digest, path } of document?.blobs ?? []) {
    if (!needed.has(digest))
      damages.add('DT_WRAP_INVALID', 'no image or chart of the wrap needs it', { entry: path, digest });
  }
}
