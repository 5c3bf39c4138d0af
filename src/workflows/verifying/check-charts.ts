import { loadChart } from '../../archive/load-chart.ts';
import { digestChartArchive } from '../../archive/chart-archive.ts';
import type { AttachedGraph } from '../../content/image-content.ts';
import { CHART_BUNDLE_PATHS } from '../../domain/carvel/chart-bundle.ts';
import type { ChartMetadata } from '../../domain/chart/chart-metadata.ts';
import { MAX_CHART_CONFIG_BYTES, MAX_PROVENANCE_BYTES, namesArchive } from '../../domain/chart/chart-origin.ts';
import { MAX_CHART_BYTES, type ChartTree } from '../../domain/chart/chart-tree.ts';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';
import { digestOf, type Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { WRAP_DOCUMENT_PATH, wrapFolder, type WrappedChart } from '../../domain/wrap/wrap-document.ts';
import type { GraphCheck } from './check-graph.ts';
import { checkAttached } from './check-images.ts';
import type { Reporter } from '../ports.ts';
import type { ContentFolder } from './wrap-content.ts';
import { tryCheck } from './try-check.ts';

/** What a wrap may have put into a chart. */
const WRAPS_OWN_FILES: ReadonlySet<string> = new Set([LOCK_FILE_NAME, ...CHART_BUNDLE_PATHS]);

/** A chart that Helm could load. */
export interface CheckedChart {
  readonly metadata: ChartMetadata;
  readonly attached: readonly AttachedGraph[];
}

/** Checks the chart of a folder against what wrap.json says of it, and against the archive that it came as. */
export async function checkChart(
  folder: ContentFolder,
  check: GraphCheck,
  reporter: Reporter,
): Promise<CheckedChart | undefined> {
  const { tree, wrapped, name } = folder;
  if (tree === undefined) return undefined;
  const { damages } = check;
  const entry = wrapped?.path ?? 'chart';
  const chart = await tryCheck(async () => loadChart(tree, `the chart in ${entry}`), { entry }, check);
  if (chart === undefined) return undefined;
  const { metadata } = chart;
  if (wrapped === undefined) return { metadata, attached: [] };
  for (const field of ['name', 'version', 'appVersion'] as const) {
    if (metadata[field] === wrapped[field]) continue;
    const message = `the ${field} of the chart is ${JSON.stringify(metadata[field])}, ${WRAP_DOCUMENT_PATH} says ${JSON.stringify(wrapped[field])}`;
    damages.add('DT_WRAP_INVALID', message, { entry });
  }
  if (name !== wrapFolder(metadata))
    damages.add('DT_WRAP_INVALID', `the chart ${wrapFolder(metadata)} lies in the folder ${name}`, { entry });
  await checkOrigin(tree, wrapped, check, reporter);
  const attached = await checkAttached(wrapped.attached ?? [], undefined, undefined, check);
  checkSubjects(wrapped, check);
  return { metadata, attached };
}

async function checkOrigin(
  tree: ChartTree,
  wrapped: WrappedChart,
  check: GraphCheck,
  reporter: Reporter,
): Promise<void> {
  const { archive, provenance, manifest, config, path } = wrapped;
  for (const digest of [archive, provenance, manifest, config]) {
    if (digest === undefined) continue;
    check.needed.add(digest);
    if (!check.content.has(digest))
      check.damages.addMissing(digest, 'a file that the chart came with is not in the wrap');
  }
  const archiveBytes = await readOptional(archive, MAX_CHART_BYTES, path, check);
  const provenanceBytes = await readOptional(provenance, MAX_PROVENANCE_BYTES, path, check);
  await readOptional(config, MAX_CHART_CONFIG_BYTES, path, check);
  if (archive !== undefined && archiveBytes !== undefined) {
    const unpacked = await tryCheck(
      async () => digestChartArchive(archiveBytes, `the archive of ${path}`),
      { entry: path },
      check,
    );
    const difference = unpacked === undefined ? undefined : findDifference(tree, unpacked);
    if (difference !== undefined) {
      const message = `${difference} differs from the archive that the chart came as`;
      check.damages.add('DT_WRAP_INVALID', message, { entry: `${path}/${difference}`, digest: archive });
    }
    if (provenanceBytes !== undefined && !namesArchive(provenanceBytes, archiveBytes)) {
      reporter.warn(`The provenance file of ${wrapFolder(wrapped)} is about another archive`);
    }
  }
  if (manifest !== undefined)
    await tryCheck(async () => checkManifest(manifest, wrapped, check), { entry: path }, check);
}

/** The manifest must be about the archive and the config beside it. */
async function checkManifest(
  digest: Digest,
  { archive, config, path }: WrappedChart,
  { content, damages }: GraphCheck,
): Promise<void> {
  if (!content.has(digest)) return;
  const parsed = parseManifest(await content.readManifest(digest));
  const layers = parsed.kind === 'manifest' ? parsed.layers.map((layer) => layer.digest) : [];
  if (archive !== undefined && !layers.includes(archive)) {
    damages.add('DT_MANIFEST_INVALID', 'the manifest of the chart does not name its archive', { entry: path, digest });
  }
  if (config !== undefined && (parsed.kind !== 'manifest' || parsed.config.digest !== config)) {
    damages.add('DT_MANIFEST_INVALID', 'the manifest of the chart does not name its config', { entry: path, digest });
  }
}

/** What is attached to a chart belongs to its manifest, or to something else that is attached. */
function checkSubjects({ manifest, attached = [], path }: WrappedChart, { damages }: GraphCheck): void {
  const subjects = new Set([manifest, ...attached.map(({ digest }) => digest)]);
  for (const { subject, digest } of attached) {
    if (subjects.has(subject)) continue;
    damages.add('DT_MANIFEST_INVALID', `an artifact is attached to ${subject}, which does not belong to the chart`, {
      entry: path,
      digest,
    });
  }
}

/** The path of the first file that is not the same in both; the lock is the wrap's own, and a bundle that was made of the chart. */
function findDifference(tree: ChartTree, archive: ReadonlyMap<string, Digest>): string | undefined {
  const folder = new Map<string, Digest>(
    tree.flatMap(({ path, type, bytes }) => (type === 'file' ? [[path, digestOf(bytes)] as const] : [])),
  );
  const paths = new Set([...folder.keys(), ...archive.keys()]);
  return [...paths].find((path) => !WRAPS_OWN_FILES.has(path) && folder.get(path) !== archive.get(path));
}

async function readOptional(
  digest: Digest | undefined,
  limitBytes: number,
  entry: string,
  check: GraphCheck,
): Promise<Buffer | undefined> {
  if (digest === undefined || !check.content.has(digest)) return undefined;
  return tryCheck(async () => check.content.readBytes(digest, limitBytes), { entry }, check);
}
