import { formatReference } from '../domain/oci/reference.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import { openPlugin, type OpenPlugin } from './pushing/open-plugin.ts';
import { pushArtifact, type ArtifactPushOptions } from './pushing/push-artifact.ts';

export interface PushPluginOptions extends ArtifactPushOptions {
  /** A package as `helm plugin package` makes it, with its provenance file beside it if it is signed. */
  readonly file: string;
  /** `[oci://]REGISTRY[/PATH][:TAG]`. */
  readonly target: string;
}

export interface PushPluginResult {
  readonly file: string;
  readonly name: string;
  readonly version: string;
  readonly reference: string;
  /** Of the manifest. */
  readonly digest: string;
  /** Of the package itself. */
  readonly packageDigest: string;
  readonly sizeBytes: number;
  /** True if the provenance file beside the package went along. */
  readonly isSigned: boolean;
  /** True if the registry had all of it. */
  readonly isPresent: boolean;
  readonly installCommand: string;
}

/**
 * Puts a package of a Helm plugin into a registry, as the artifact from which Helm 4 installs it. The same package gives the same manifest;
 * what is there already is not sent again. Throws DT_FILE_NOT_FOUND, DT_PLUGIN_INVALID, DT_UNSAFE_ENTRY, DT_DIGEST_MISMATCH, DT_TAG_EXISTS,
 * DT_BAD_PREFIX, DT_BAD_REFERENCE and the registry errors.
 */
export async function pushPlugin(options: PushPluginOptions, context: RunContext): Promise<PushPluginResult> {
  const { file, target } = options;
  return nameSide('destination', async () =>
    context.reporter.section(`Pushing plugin "${file}"`, async () => {
      const opened = await openPlugin(file, target, context);
      try {
        return await pushOpenPlugin(opened, options, context);
      } finally {
        await opened.close();
      }
    }),
  );
}

/** Pushes a package that is open. Throws DT_TAG_EXISTS and the registry errors. */
export async function pushOpenPlugin(
  { file, plugin, push }: OpenPlugin,
  options: ArtifactPushOptions,
  context: RunContext,
): Promise<PushPluginResult> {
  const isPresent = await pushArtifact(push, options, context);
  const reference = formatReference(push.reference);
  const isPlainHttp = await context.clients.forRegistry(push.reference.registry).usesPlainHttp(context.signal);
  const isSigned = push.companion !== undefined;
  return {
    file,
    ...plugin,
    reference,
    digest: push.manifest.descriptor.digest,
    packageDigest: push.descriptor.digest,
    sizeBytes: push.descriptor.size,
    isSigned,
    isPresent,
    installCommand: [
      `helm plugin install oci://${reference}`,
      ...(isSigned ? [] : ['--verify=false']),
      ...(isPlainHttp ? ['--plain-http'] : []),
    ].join(' '),
  };
}
