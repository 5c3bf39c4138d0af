import { openWrapFile, type OpenWrapFile } from '../archive/wrap-file.ts';
import { formatReference, type Reference } from '../domain/oci/reference.ts';
import type { TaggedReference } from '../domain/relocation/artifact-place.ts';
import { nameWrapArtifact, placeWrapArtifact } from '../domain/wrap/wrap-artifact-place.ts';
import type { WrapKind } from '../domain/wrap/wrap-document.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import {
  describeArtifact,
  describeSignature,
  readDocument,
  type WrapArtifact,
} from './pushing/describe-wrap-artifact.ts';
import { pushArtifact, type ArtifactPush, type ArtifactPushOptions } from './pushing/push-artifact.ts';

export interface PushWrapOptions extends ArtifactPushOptions {
  readonly file: string;
  /** `[oci://]REGISTRY[/PATH][:TAG]`. */
  readonly target: string;
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
        const isPresent = await pushArtifact(toPush(artifact, opened, reference), options, context);
        return describe(artifact, { file, kind: document.kind, reference, isPresent });
      } finally {
        await opened.file.close();
      }
    }),
  );
}

function toPush(
  { wrap, signature, manifest }: WrapArtifact,
  opened: OpenWrapFile,
  reference: TaggedReference,
): ArtifactPush {
  return {
    kind: 'wrap',
    opened,
    descriptor: wrap,
    companion: signature === undefined ? undefined : { descriptor: describeSignature(signature), bytes: signature },
    manifest,
    reference,
    overwriteHints: ['{bin} push-wrap … without --no-overwrite to overwrite', '{bin} push-wrap WRAP oci://…:TAG'],
  };
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
