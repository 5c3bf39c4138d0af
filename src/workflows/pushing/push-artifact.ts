import type { Readable } from 'node:stream';
import type { OpenWrapFile } from '../../archive/wrap-file.ts';
import { findTag } from '../../content/copy-graph.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import { verifyBlob } from '../../content/verified-stream.ts';
import { writeBytes } from '../../content/write-bytes.ts';
import { DtError } from '../../domain/errors.ts';
import { formatBytes } from '../../domain/format-quantity.ts';
import { describeEmptyConfig, EMPTY_CONFIG } from '../../domain/oci/artifact-manifest.ts';
import type { Descriptor, ManifestContent } from '../../domain/oci/descriptor.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { formatReference } from '../../domain/oci/reference.ts';
import type { TaggedReference } from '../../domain/relocation/artifact-place.ts';
import type { RunContext } from '../context.ts';
import { requirePushPermission } from '../preflight.ts';
import { openRepository } from '../registry-stores.ts';

/** A file that goes into a registry as an artifact. */
export interface ArtifactPush {
  /** What messages call it: `wrap`. */
  readonly kind: string;
  readonly opened: OpenWrapFile;
  readonly descriptor: Descriptor;
  /** What lies beside the file and goes along. */
  readonly companion: { readonly descriptor: Descriptor; readonly bytes: Buffer } | undefined;
  readonly manifest: ManifestContent;
  readonly reference: TaggedReference;
  /** What to try if the tag may not be overwritten. */
  readonly overwriteHints: readonly string[];
}

export interface ArtifactPushOptions {
  /** Fail if the tag has another digest. */
  readonly noOverwrite?: boolean;
  readonly skipPreflight?: boolean;
}

/** What the tag points to. Throws DT_TAG_EXISTS if that is something else and may not be overwritten. */
export async function checkArtifactTag(
  { reference, manifest, overwriteHints }: ArtifactPush,
  { noOverwrite }: ArtifactPushOptions,
  context: RunContext,
): Promise<Digest | undefined> {
  const previous = await findTag(openRepository(context, reference, 'push'), reference.tag, context.signal);
  if (previous === undefined || previous === manifest.descriptor.digest || noOverwrite !== true) return previous;
  throw new DtError('DT_TAG_EXISTS', `${formatReference(reference)} exists with another digest, ${previous}`, {
    detail: 'Nothing was pushed.',
    hints: overwriteHints,
  });
}

/**
 * Pushes an artifact and reads its tag back. Returns true if all of it was there. Throws DT_TAG_EXISTS, DT_DIGEST_MISMATCH and the registry
 * errors.
 */
export async function pushArtifact(
  push: ArtifactPush,
  options: ArtifactPushOptions,
  context: RunContext,
): Promise<boolean> {
  const { kind, reference, manifest, descriptor } = push;
  const { reporter } = context;
  const place = formatReference(reference);
  const { digest } = manifest.descriptor;
  const previous = await checkArtifactTag(push, options, context);
  if (previous === digest) {
    reporter.info(`${place} is this ${kind} already`);
    return true;
  }
  if (previous !== undefined) reporter.warn(`overwriting ${place} (was ${previous})`);
  if (options.skipPreflight !== true) await requirePushPermission([reference], context);
  await reporter.step(
    `Pushing the ${kind}`,
    async (progress) => {
      progress.setTotalBytes(descriptor.size);
      await send(push, context, (sizeBytes) => {
        progress.addBytes(sizeBytes);
      });
    },
    () => `${place} is ${digest} (${formatBytes(descriptor.size)})`,
  );
  return false;
}

async function send(
  { opened, descriptor, companion, manifest, reference }: ArtifactPush,
  context: RunContext,
  onBytes: (sizeBytes: number) => void,
): Promise<void> {
  const { signal } = context;
  const store = openRepository(context, reference, 'push');
  const open = async (): Promise<Readable> =>
    Promise.resolve(verifyBlob(opened.file.stream(signal), descriptor, opened.path, onBytes));
  await store.writeBlob(descriptor, open, { signal });
  await writeBytes(store, describeEmptyConfig(), EMPTY_CONFIG, signal);
  if (companion !== undefined) await writeBytes(store, companion.descriptor, companion.bytes, signal);
  await store.writeManifest(manifest, [reference.tag], signal);
  await requirePushed(store, reference, manifest.descriptor.digest, signal);
}

/** What was pushed is read back. Throws DT_DIGEST_MISMATCH. */
async function requirePushed(
  store: RegistryStore,
  { tag }: TaggedReference,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  const stored = await findTag(store, tag, signal);
  if (stored === digest) return;
  throw new DtError(
    'DT_DIGEST_MISMATCH',
    `${store.name}:${tag} is ${stored ?? 'missing'} after the push, not ${digest}`,
    {
      side: 'destination',
    },
  );
}
