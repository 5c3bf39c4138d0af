import { readFile, stat } from 'node:fs/promises';
import { unpackChartArchive } from '../archive/chart-archive.ts';
import { readChartFolder } from '../archive/chart-folder.ts';
import { loadChart } from '../archive/load-chart.ts';
import type { Chart } from '../domain/chart/chart.ts';
import { hasOciScheme } from '../domain/oci/oci-scheme.ts';
import { MAX_CHART_BYTES } from '../domain/chart/chart-tree.ts';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import type { RunContext } from './context.ts';
import { downloadOciChart } from './download-oci-chart.ts';
import { downloadRepositoryChart, isRepositoryAlias } from './download-repository-chart.ts';

export interface ChartSource {
  /** A folder, a .tgz, `oci://host/path[:version]`, `ALIAS/NAME`, or a NAME in the repository of `repositoryUrl`. */
  readonly location: string;
  /** A version or a semver range, for charts from a registry or repository. */
  readonly version?: string | undefined;
  /** An https chart repository. */
  readonly repositoryUrl?: string | undefined;
}

/**
 * Brings a chart into memory from wherever it lies. A path that exists wins over a repository alias, as in Helm.
 * Throws DT_FILE_NOT_FOUND, DT_CHART_INVALID, DT_CHART_VERSION_NOT_FOUND and the registry errors.
 */
export async function fetchChart(source: ChartSource, context: RunContext): Promise<Chart> {
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
  if (kind === 'directory') return loadChart(await readChartFolder(location), location);
  if (kind === 'file') return loadChart(await unpackChartArchive(await readArchive(location), location), location);
  if (await isRepositoryAlias(location, context)) {
    return download(context, async () => downloadRepositoryChart({ alias: location }, version, context), location);
  }
  throw new DtError('DT_FILE_NOT_FOUND', `there is no chart at "${location}"`, {
    hints: location.includes('://') ? ['charts come from a folder, a .tgz, oci://… or a repository (--repo URL)'] : [],
  });
}

async function download(context: RunContext, fetch: () => Promise<Buffer>, location: string): Promise<Chart> {
  return context.reporter.step(
    `Downloading Helm chart`,
    async () => loadChart(await unpackChartArchive(await fetch(), location), location),
    (chart) => `Helm chart downloaded (${chart.metadata.name} ${chart.metadata.version})`,
  );
}

async function findKind(path: string): Promise<'file' | 'directory' | undefined> {
  try {
    const stats = await stat(path);
    return stats.isDirectory() ? 'directory' : 'file';
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
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
