import { Readable } from 'node:stream';
import { openWrapFile, type OpenWrapFile } from '../archive/wrap-file.ts';
import { findTag } from '../content/copy-graph.ts';
import type { RegistryStore } from '../content/registry-store.ts';
import { verifyBlob } from '../content/verified-stream.ts';
import { DtError } from '../domain/errors.ts';
import { formatBytes } from '../domain/format-quantity.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { formatReference, type Reference } from '../domain/oci/reference.ts';
import { describeEmptyConfig, EMPTY_CONFIG } from '../domain/wrap/wrap-artifact.ts';
import { nameWrapArtifact, placeWrapArtifact } from '../domain/wrap/wrap-artifact-place.ts';
import type { WrapKind } from '../domain/wrap/wrap-document.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import { requirePushPermission } from './preflight.ts';
import {
  describeArtifact,
  describeSignature,
  readDocument,
  type WrapArtifact,
} from './pushing/describe-wrap-artifact.ts';
import { openRepository } from './registry-stores.ts';

export interface PushWrapOptions {
  readonly file: string;
  /** `[oci://]REGISTRY[/PATH][:TAG]`. */
  readonly target: string;
  /** Fail if the tag has another digest. */
  readonly noOverwrite?: boolean;
  readonly skipPreflight?: boolean;
}

export interface PushWrapResult {
  readonly file: string;
  /** Of charts, or of a single image. */
  readonly kind: WrapKind;
  readonly reference: string;
  /** Of the manifest. */
  readonly digest: string;
  /** Of the wrap itself. */
  readonly wrapDigest: string;
  readonly sizeBytes: number;
  /** True if the signature beside the wrap went along. */
  readonly isSigned: boolean;
  /** True if the registry had all of it. */
  readonly isPresent: boolean;
}

/**
 * Puts a wrap into a registry as an artifact, from which it can be unwrapped. The same wrap gives the same manifest. What is there
 * already is not sent again. Throws DT_WRAP_UNSUPPORTED for a wrap of another tool, DT_TAG_EXISTS, DT_BAD_REFERENCE, the codes of damaged
 * wraps and the registry errors.
 */
export async function pushWrap(options: PushWrapOptions, context: RunContext): Promise<PushWrapResult> {
  const { file, target } = options;
  const { reporter } = context;
  return nameSide('destination', async () =>
    reporter.section(`Pushing wrap "${file}"`, async () => {
      const document = await readDocument(file, context);
      const name = nameWrapArtifact(document);
      const reference = placeWrapArtifact(target, name);
      const opened = await openWrapFile(file);
      try {
        const artifact = await reporter.step('Reading the wrap', async (progress) =>
          describeArtifact(opened, document, reference.tag, { progress, signal: context.signal }),
        );
        const isPresent = await push(artifact, { opened, reference, options }, context);
        return describe(artifact, { file, kind: document.kind, reference, isPresent });
      } finally {
        await opened.file.close();
      }
    }),
  );
}

/** Returns true if all of it was there. */
async function push(
  { wrap, signature, manifest }: WrapArtifact,
  {
    opened,
    reference,
    options,
  }: {
    readonly opened: OpenWrapFile;
    readonly reference: Reference & { readonly tag: string };
    readonly options: PushWrapOptions;
  },
  context: RunContext,
): Promise<boolean> {
  const { reporter, signal } = context;
  const store = openRepository(context, reference, 'push');
  const previous = await findTag(store, reference.tag, signal);
  const { digest } = manifest.descriptor;
  if (previous === digest) {
    reporter.info(`${formatReference(reference)} is this wrap already`);
    return true;
  }
  if (previous !== undefined) requireReplaceable(reference, previous, options, context);
  if (options.skipPreflight !== true) await requirePushPermission([reference], context);
  await reporter.step(
    'Pushing the wrap',
    async (progress) => {
      progress.setTotalBytes(wrap.size);
      const onBytes = (sizeBytes: number): void => {
        progress.addBytes(sizeBytes);
      };
      const open = async (): Promise<Readable> =>
        Promise.resolve(verifyBlob(opened.file.stream(signal), wrap, opened.path, onBytes));
      await store.writeBlob(wrap, open, { signal });
      await writeBytes(store, describeEmptyConfig(), EMPTY_CONFIG, signal);
      if (signature !== undefined) await writeBytes(store, describeSignature(signature), signature, signal);
      await store.writeManifest(manifest, [reference.tag], signal);
      await requirePushed(store, reference, digest, signal);
    },
    () => `${formatReference(reference)} is ${digest} (${formatBytes(wrap.size)})`,
  );
  return false;
}

function requireReplaceable(
  reference: Reference,
  previous: Digest,
  { noOverwrite }: PushWrapOptions,
  { reporter }: RunContext,
): void {
  const place = formatReference(reference);
  if (noOverwrite !== true) {
    reporter.warn(`overwriting ${place} (was ${previous})`);
    return;
  }
  throw new DtError('DT_TAG_EXISTS', `${place} exists with another digest, ${previous}`, {
    detail: 'Nothing was pushed.',
    hints: ['{bin} push-wrap … without --no-overwrite to overwrite', '{bin} push-wrap WRAP oci://…:TAG'],
  });
}

/** What was pushed is read back. Throws DT_DIGEST_MISMATCH. */
async function requirePushed(
  store: RegistryStore,
  { tag }: { readonly tag: string },
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

async function writeBytes(
  store: RegistryStore,
  descriptor: Descriptor,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<void> {
  await store.writeBlob(descriptor, () => Promise.resolve(Readable.from([bytes], { objectMode: false })), { signal });
}

function describe(
  { wrap, signature, manifest }: WrapArtifact,
  { reference, ...facts }: Pick<PushWrapResult, 'file' | 'kind' | 'isPresent'> & { readonly reference: Reference },
): PushWrapResult {
  return {
    ...facts,
    reference: formatReference(reference),
    digest: manifest.descriptor.digest,
    wrapDigest: wrap.digest,
    sizeBytes: wrap.size,
    isSigned: signature !== undefined,
  };
}
