import { readFile, stat } from 'node:fs/promises';
import { unpackChartArchive } from '../../archive/chart-archive.ts';
import { readChartFolder } from '../../archive/chart-folder.ts';
import { loadChart } from '../../archive/load-chart.ts';
import { MAX_PROVENANCE_BYTES, type ChartOrigin, type PackagedOrigin } from '../../domain/chart/chart-origin.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import { hasOciScheme } from '../../domain/oci/oci-scheme.ts';
import { MAX_CHART_BYTES } from '../../domain/chart/chart-tree.ts';
import { DtError, systemErrorCode } from '../../domain/errors.ts';
import type { RunContext } from '../context.ts';
import { downloadOciChart } from './download-oci-chart.ts';
import { downloadRepositoryChart, isRepositoryAlias } from './download-repository-chart.ts';
import { readProvenanceFile } from './read-provenance.ts';

export interface ChartSource {
  /** A folder, a .tgz, `oci://host/path[:version]`, `ALIAS/NAME`, or a NAME in the repository of `repositoryUrl`. */
  readonly location: string;
  /** A version or a semver range, for charts from a registry or repository. */
  readonly version?: string | undefined;
  /** An https chart repository. */
  readonly repositoryUrl?: string | undefined;
}

export interface FetchedChart {
  readonly chart: Chart;
  /** What the chart came as, byte for byte; empty for a folder. */
  readonly origin: ChartOrigin;
}

/**
 * Brings a chart into memory from wherever it lies. A path that exists wins over a repository alias, as in Helm. A
 * provenance that is there and cannot be read, or that is not one of the archive, is a warning.
 * Throws DT_FILE_NOT_FOUND, DT_CHART_INVALID, DT_CHART_TOO_LARGE, DT_CHART_VERSION_NOT_FOUND and the registry errors.
 */
export async function fetchChart(source: ChartSource, context: RunContext): Promise<FetchedChart> {
  const { location, version, repositoryUrl } = source;
  if (hasOciScheme(location)) {
    return download(context, async () => downloadOciChart(location, version, context), location);
  }
  if (repositoryUrl !== undefined) {
    return download(
      context,
      async () => downloadRepositoryChart({ repositoryUrl, name: location }, version, context),
      location,
    );
  }
  const kind = await findKind(location);
  if (kind === 'directory') return { chart: await loadChart(await readChartFolder(location), location), origin: {} };
  if (kind === 'file') return unpack(await readPackagedFile(location, context), location);
  if (await isRepositoryAlias(location, context)) {
    return download(context, async () => downloadRepositoryChart({ alias: location }, version, context), location);
  }
  throw new DtError('DT_FILE_NOT_FOUND', `there is no chart at "${location}"`, {
    hints: location.includes('://') ? ['charts come from a folder, a .tgz, oci://… or a repository (--repo URL)'] : [],
  });
}

async function download(
  context: RunContext,
  fetch: () => Promise<PackagedOrigin>,
  location: string,
): Promise<FetchedChart> {
  return context.reporter.step(
    `Downloading Helm chart`,
    async () => unpack(await fetch(), location),
    ({ chart }) => `Helm chart downloaded (${chart.metadata.name} ${chart.metadata.version})`,
  );
}

async function unpack(origin: PackagedOrigin, location: string): Promise<FetchedChart> {
  return { chart: await loadChart(await unpackChartArchive(origin.archive, location), location), origin };
}

async function readPackagedFile(path: string, context: RunContext): Promise<PackagedOrigin> {
  const archive = await readArchive(path);
  const provenance = await readProvenanceFile(path, archive, async () => findProvenanceFile(`${path}.prov`), context);
  return { archive, ...(provenance === undefined ? {} : { provenance }) };
}

/** Links are followed, as for the archive itself. Only a regular file is opened: a pipe would keep the reader waiting. */
async function findProvenanceFile(path: string): Promise<Buffer | undefined> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new DtError('DT_FILE_UNREADABLE', `${path} is not a file`);
    if (stats.size > MAX_PROVENANCE_BYTES) {
      throw new DtError('DT_LIMIT_EXCEEDED', `${path} is larger than ${String(MAX_PROVENANCE_BYTES)} bytes`);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof DtError) throw error;
    if (isAbsence(error)) return undefined;
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}

async function findKind(path: string): Promise<'file' | 'directory' | undefined> {
  try {
    const stats = await stat(path);
    return stats.isDirectory() ? 'directory' : 'file';
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}

function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemErrorCode(error) ?? '');
}

async function readArchive(path: string): Promise<Buffer> {
  const { size } = await stat(path);
  if (size > MAX_CHART_BYTES) {
    throw new DtError(
      'DT_CHART_TOO_LARGE',
      `${path} is larger than ${String(MAX_CHART_BYTES)} bytes and cannot be a chart`,
    );
  }
  return readFile(path);
}
