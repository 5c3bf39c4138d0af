import type { OpenWrapFile } from '../../archive/wrap-file.ts';
import { DtError } from '../../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../../domain/oci/descriptor.ts';
import { digestOf } from '../../domain/oci/digest.ts';
import { formatWrapArtifact, MEDIA_TYPE_WRAP, MEDIA_TYPE_WRAP_SIGNATURE } from '../../domain/wrap/wrap-artifact.ts';
import { nameWrapArtifact } from '../../domain/wrap/wrap-artifact-place.ts';
import { CONTAINER_WRAP_EXTENSION, WRAP_EXTENSION, type WrapDocument } from '../../domain/wrap/wrap-document.ts';
import type { RunContext } from '../context.ts';
import { inspectWrap } from '../inspect-wrap.ts';
import type { Progress } from '../ports.ts';
import { readBesideFile } from '../read-named-file.ts';
import { MAX_TRUST_FILE_BYTES, SIGNATURE_EXTENSION } from '../verifying/trust-files.ts';
import { digestFile } from './digest-file.ts';

/** A wrap with its signature, ready to be sent. */
export interface WrapArtifact {
  readonly wrap: Descriptor;
  readonly signature: Buffer | undefined;
  readonly manifest: ManifestContent;
}

/** Throws DT_WRAP_UNSUPPORTED for what could not be unwrapped from there. */
export async function readDocument(file: string, { signal }: RunContext): Promise<WrapDocument> {
  const { document } = await inspectWrap(file, [], signal);
  if (document !== undefined) return document;
  throw new DtError('DT_WRAP_UNSUPPORTED', `${file} is not a wrap that can be read as it comes out of a registry`, {
    detail: 'Wraps of other tools, and folders, cannot.',
    hints: ['{bin} wrap CHART'],
  });
}

/** Reads the wrap once, for its digest. */
export async function describeArtifact(
  opened: OpenWrapFile,
  document: WrapDocument,
  tag: string,
  options: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<WrapArtifact> {
  const { path, sizeBytes } = opened;
  const wrap = { mediaType: MEDIA_TYPE_WRAP, digest: await digestFile(opened, options), size: sizeBytes };
  const signature = readBesideFile(path + SIGNATURE_EXTENSION, MAX_TRUST_FILE_BYTES);
  const { name, version = tag } = nameWrapArtifact(document);
  // The name of the file is not used: the same wrap is to have the same manifest.
  const title = `${name}-${version}${document.kind === 'container' ? CONTAINER_WRAP_EXTENSION : WRAP_EXTENSION}`;
  const layers = [
    { ...wrap, title },
    ...(signature === undefined ? [] : [{ ...describeSignature(signature), title: title + SIGNATURE_EXTENSION }]),
  ];
  return { wrap, signature, manifest: formatWrapArtifact({ name, version, layers }) };
}

/** The descriptor of a signature. */
export function describeSignature(bytes: Buffer): Descriptor {
  return { mediaType: MEDIA_TYPE_WRAP_SIGNATURE, digest: digestOf(bytes), size: bytes.length };
}
