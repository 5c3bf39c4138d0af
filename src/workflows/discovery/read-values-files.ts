import { decodeYamlText } from '../../domain/yaml/parse-yaml.ts';
import type { RenderOptions, ValuesFile } from '../../helm/render-input.ts';
import { readNamedBytes } from '../read-named-file.ts';

const MAX_VALUES_BYTES = 16 * 1024 * 1024;

/** How a user says that a chart is to be rendered: the values files are paths. */
export interface RenderSettings extends Omit<RenderOptions, 'valuesFiles'> {
  readonly valuesFiles: readonly string[];
}

/** Reads what the settings name. Throws as `readValuesFiles`. */
export function readRenderSettings(settings: RenderSettings): RenderOptions {
  return { ...settings, valuesFiles: readValuesFiles(settings.valuesFiles) };
}

/** Reads values files from outside of the chart. Throws DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, DT_CONFIG_INVALID, DT_YAML_INVALID. */
function readValuesFiles(paths: readonly string[]): ValuesFile[] {
  return paths.map((path) => {
    const bytes = readNamedBytes(path, MAX_VALUES_BYTES);
    decodeYamlText(bytes, path);
    return { name: path, bytes };
  });
}
