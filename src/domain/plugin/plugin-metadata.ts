import { DtError } from '../errors.ts';
import { parseSemanticVersion } from '../version/semantic-version.ts';
import { decodeYamlText, isYamlMap, parseYamlTexts } from '../yaml/parse-yaml.ts';

/** The file by which Helm knows a plugin. https://helm.sh/docs/topics/plugins/ */
export const PLUGIN_FILE_NAME = 'plugin.yaml';

/** What plugin.yaml says of a plugin, in both of its forms. */
export interface PluginMetadata {
  readonly name: string;
  readonly version: string;
}

const NAME_PATTERN = /^[\w-]+$/;

/** Parses plugin.yaml; `fileName` is what messages call it. Throws DT_YAML_INVALID, and DT_PLUGIN_INVALID for what Helm would not load. */
export function parsePluginMetadata(content: Uint8Array, fileName: string): PluginMetadata {
  const document = parseYamlTexts(decodeYamlText(content, fileName), fileName);
  const { name, version } = isYamlMap(document) ? document : {};
  if (typeof name !== 'string' || !NAME_PATTERN.test(name)) {
    throw rejectPlugin(fileName, 'it has no name of letters, digits, "-" and "_"');
  }
  if (typeof version !== 'string' || !isStrictVersion(version)) {
    throw rejectPlugin(fileName, 'its version is not a semantic version such as 1.2.3');
  }
  return { name, version };
}

/** The error for what is no plugin; `fileName` is what the message calls it. */
export function rejectPlugin(fileName: string, why: string): DtError {
  return new DtError('DT_PLUGIN_INVALID', `${fileName} is not valid: ${why}`);
}

/** Helm 4 takes no others: three numbers, without "v" and without leading zeros. */
function isStrictVersion(text: string): boolean {
  return parseSemanticVersion(text)?.version === text.split('+', 1)[0];
}
