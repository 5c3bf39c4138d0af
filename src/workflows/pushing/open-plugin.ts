import { basename } from 'node:path';
import { readPluginPackage } from '../../archive/plugin-package.ts';
import { openWrapFile } from '../../archive/wrap-file.ts';
import { DtError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import {
  canonicalPackageName,
  formatPluginArtifact,
  placePluginArtifact,
  PROVENANCE_EXTENSION,
} from '../../domain/plugin/plugin-artifact.ts';
import type { PluginMetadata } from '../../domain/plugin/plugin-metadata.ts';
import { readProvenanceChecksums } from '../../domain/plugin/plugin-provenance.ts';
import type { RunContext } from '../context.ts';
import type { Progress } from '../ports.ts';
import { readBesideFile } from '../read-named-file.ts';
import { digestFile } from './digest-file.ts';
import type { ArtifactPush } from './push-artifact.ts';

const MAX_PROVENANCE_BYTES = 1024 * 1024;

/** A package of a plugin that is ready to be pushed. It must be closed. */
export interface OpenPlugin {
  readonly file: string;
  readonly plugin: PluginMetadata;
  readonly push: ArtifactPush;
  close(): Promise<void>;
}

/**
 * Opens a package, and checks that Helm would install it from the registry. Throws DT_FILE_NOT_FOUND, DT_PLUGIN_INVALID, DT_UNSAFE_ENTRY,
 * DT_DIGEST_MISMATCH for a provenance file of something else, DT_BAD_PREFIX, DT_BAD_REFERENCE.
 */
export async function openPlugin(file: string, target: string, context: RunContext): Promise<OpenPlugin> {
  const opened = await openWrapFile(file);
  try {
    const { reporter, signal } = context;
    const { plugin, digest } = await reporter.step('Reading the package', async (progress: Progress) => ({
      plugin: await readPluginPackage(opened.file.stream(signal), file),
      digest: await digestFile(opened, { progress, signal }),
    }));
    const provenance = readBesideFile(file + PROVENANCE_EXTENSION, MAX_PROVENANCE_BYTES);
    if (provenance !== undefined) requireProvenance(provenance, { file, plugin, digest }, context);
    const artifact = formatPluginArtifact(plugin, { digest, sizeBytes: opened.sizeBytes }, provenance);
    return {
      file,
      plugin,
      push: {
        kind: 'plugin',
        opened,
        descriptor: artifact.package,
        companion:
          provenance === undefined || artifact.provenance === undefined
            ? undefined
            : { descriptor: artifact.provenance, bytes: provenance },
        manifest: artifact.manifest,
        reference: placePluginArtifact(target, plugin, basename(file)),
        overwriteHints: ['the same command without --no-overwrite to overwrite', '{bin} plugin push FILE oci://…:TAG'],
      },
      close: async () => opened.file.close(),
    };
  } catch (error) {
    await opened.file.close();
    throw error;
  }
}

function requireProvenance(
  provenance: Buffer,
  { file, plugin, digest }: { readonly file: string; readonly plugin: PluginMetadata; readonly digest: Digest },
  { reporter }: RunContext,
): void {
  const checksums = readProvenanceChecksums(provenance.toString());
  if (![...checksums.values()].includes(digest)) {
    throw new DtError('DT_DIGEST_MISMATCH', `${file}${PROVENANCE_EXTENSION} is not that of ${file}`, {
      detail: `It has no checksum ${digest}.`,
      hints: ['sign the package again, or remove the file beside it'],
    });
  }
  const name = canonicalPackageName(plugin);
  if (checksums.get(name) !== digest) {
    reporter.warn(`Helm will not verify what it installs from the registry: the provenance file does not name ${name}`);
  }
}
