import { open } from 'node:fs/promises';
import { DtError, systemErrorCode } from '../../domain/errors.ts';
import { decodeYamlText } from '../../domain/yaml/parse-yaml.ts';
import type { RenderOptions, ValuesFile } from '../../helm/render-input.ts';

const MAX_VALUES_BYTES = 16 * 1024 * 1024;

/** How a user says that a chart is to be rendered: the values files are paths. */
export interface RenderSettings extends Omit<RenderOptions, 'valuesFiles'> {
  readonly valuesFiles: readonly string[];
}

/** Reads what the settings name. Throws as `readValuesFiles`. */
export async function readRenderSettings(settings: RenderSettings): Promise<RenderOptions> {
  return { ...settings, valuesFiles: await readValuesFiles(settings.valuesFiles) };
}

/** Reads values files from outside of the chart. Throws DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, DT_LIMIT_EXCEEDED, DT_YAML_INVALID. */
export async function readValuesFiles(paths: readonly string[]): Promise<ValuesFile[]> {
  return Promise.all(
    paths.map(async (path) => {
      const bytes = await readBounded(path);
      decodeYamlText(bytes, path);
      return { name: path, bytes };
    }),
  );
}

async function readBounded(path: string): Promise<Buffer> {
  try {
    const handle = await open(path);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new DtError('DT_FILE_UNREADABLE', `${path} is not a file`);
      if (stats.size > MAX_VALUES_BYTES) {
        throw new DtError('DT_LIMIT_EXCEEDED', `${path} is larger than ${String(MAX_VALUES_BYTES)} bytes`);
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof DtError) throw error;
    if (systemErrorCode(error) === 'ENOENT') {
      throw new DtError('DT_FILE_NOT_FOUND', `there is no values file ${path}`, { cause: error });
    }
    throw new DtError('DT_FILE_UNREADABLE', `cannot read the values file ${path}`, { cause: error });
  }
}
