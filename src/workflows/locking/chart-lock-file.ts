import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findChartFile } from '../../domain/chart/chart-tree.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import { LOCK_FILE_NAME, type ImagesLock } from '../../domain/lock/images-lock.ts';
import { MAX_LOCK_BYTES, parseImagesLock } from '../../domain/lock/parse-lock.ts';
import { hasOciScheme } from '../../domain/oci/oci-scheme.ts';
import { decodeYamlText } from '../../domain/yaml/parse-yaml.ts';
import { fetchChart } from '../charts/fetch-chart.ts';
import type { RunContext } from '../context.ts';
import { readNamedBytes } from '../read-named-file.ts';

/** A chart of this machine with the lock that lies in it, or beside its archive. */
export interface LocalChart {
  readonly chart: Chart;
  /** The chart folder, or the one that the archive lies in: where lock and images are looked for. */
  readonly folder: string;
  readonly lockPath: string;
  readonly lockBytes: Uint8Array;
}

/** The folder of a chart, or of its archive, on this machine. */
export async function findChartPlace(
  location: string,
): Promise<{ readonly folder: string; readonly isArchive: boolean }> {
  const isArchive = !(await stat(location)).isDirectory();
  return { folder: isArchive ? dirname(location) : location, isArchive };
}

/**
 * Reads a chart of this machine with its lock, or with that of another file. Throws DT_USAGE for a chart from elsewhere,
 * DT_FILE_NOT_FOUND if chart or lock is missing, and as `fetchChart`.
 */
export async function readLocalChart(
  location: string,
  lockFile: string | undefined,
  context: RunContext,
): Promise<LocalChart> {
  if (hasOciScheme(location)) {
    throw new DtError(
      'DT_USAGE',
      `${location} is not a chart of this machine, and has no place for ${LOCK_FILE_NAME}`,
      {
        hints: ['{bin} wrap oci://… for a chart with its images in one file', 'helm pull oci://… --untar'],
      },
    );
  }
  const { chart } = await fetchChart({ location }, context);
  const { folder, isArchive } = await findChartPlace(location);
  const path = lockFile ?? join(folder, LOCK_FILE_NAME);
  const packed = lockFile === undefined ? findChartFile(chart.tree, LOCK_FILE_NAME) : undefined;
  const isPacked = packed !== undefined && (!isArchive || !existsSync(path));
  return {
    chart,
    folder,
    lockPath: path,
    lockBytes: isPacked ? packed.bytes : readLockFile(path, location),
  };
}

/** Throws DT_LOCK_INVALID. */
export function parseLocalLock({ lockPath, lockBytes }: LocalChart): ImagesLock {
  try {
    return parseImagesLock(decodeYamlText(lockBytes, lockPath), lockPath);
  } catch (error) {
    if (!isDtError(error, 'DT_YAML_INVALID')) throw error;
    throw new DtError('DT_LOCK_INVALID', error.message, { cause: error });
  }
}

function readLockFile(path: string, location: string): Uint8Array {
  try {
    return readNamedBytes(path, MAX_LOCK_BYTES);
  } catch (error) {
    if (!isDtError(error, 'DT_FILE_NOT_FOUND')) throw error;
    throw new DtError('DT_FILE_NOT_FOUND', `there is no file ${path}: the images of the chart are not locked`, {
      hints: [`{bin} images lock ${location}`],
      cause: error,
    });
  }
}
