import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import {
  parsePluginMetadata,
  PLUGIN_FILE_NAME,
  rejectPlugin,
  type PluginMetadata,
} from '../domain/plugin/plugin-metadata.ts';
import { readTarEntries, type TarLimits } from './unpack-tar.ts';

/** An executable with all of Node.js in it has 130 MB. */
const LIMITS: TarLimits = { maxEntries: 10_000, maxTotalBytes: 1024 * 1024 * 1024 };
const MAX_PLUGIN_FILE_BYTES = 1024 * 1024;

/**
 * Reads a package of a Helm plugin to its end, and returns what its only plugin.yaml says. Helm installs what lies at the root or in a folder
 * there. Throws DT_PLUGIN_INVALID, DT_YAML_INVALID, DT_UNSAFE_ENTRY, DT_LIMIT_EXCEEDED.
 */
export async function readPluginPackage(source: Readable, name: string): Promise<PluginMetadata> {
  const unzipped = createGunzip();
  // Not part of the pipeline of the reader, so errors are handed on.
  source.on('error', (error) => unzipped.destroy(error));
  source.pipe(unzipped);
  const found: { readonly path: string; readonly bytes: Buffer }[] = [];
  await readTarEntries(
    unzipped,
    { name, limits: LIMITS, truncatedCode: 'DT_PLUGIN_INVALID', invalidCode: 'DT_PLUGIN_INVALID' },
    async ({ path, sizeBytes }, content) => {
      if (path.slice(path.lastIndexOf('/') + 1) !== PLUGIN_FILE_NAME) return;
      if (sizeBytes > MAX_PLUGIN_FILE_BYTES) throw rejectPlugin(name, `its ${PLUGIN_FILE_NAME} is too large`);
      found.push({ path, bytes: await buffer(content) });
    },
  );
  const [first, ...others] = found;
  if (first === undefined) throw rejectPlugin(name, `it has no ${PLUGIN_FILE_NAME}`);
  // Helm takes name and version from the first, and installs another one.
  if (others.length > 0) throw rejectPlugin(name, `it has ${PLUGIN_FILE_NAME} more than once`);
  if (first.path.split('/').length > 2) throw rejectPlugin(name, `its ${PLUGIN_FILE_NAME} lies too deep`);
  return parsePluginMetadata(first.bytes, `${PLUGIN_FILE_NAME} of ${name}`);
}
