import { requireRegularOutput } from '../archive/wrap-writer.ts';
import { DtError } from '../domain/errors.ts';
import { digestHex } from '../domain/oci/digest.ts';
import { trimOciScheme } from '../domain/oci/oci-scheme.ts';
import { DEFAULT_TAG, parseReference, type Reference } from '../domain/oci/reference.ts';
import type { Platform } from '../domain/oci/platform.ts';
import { CONTAINER_WRAP_EXTENSION } from '../domain/wrap/wrap-document.ts';
import { requireWritablePlace } from '../files/output-place.ts';
import type { RunContext } from './context.ts';
import { countLockImages, lockReferences } from './locking/lock-images.ts';
import { nameSide } from './name-side.ts';
import { openWrapSigner } from './wrapping/sign-wrap.ts';
import { writeOutput, type OutputOptions, type WrapResult } from './wrapping/write-output.ts';

export interface WrapImagesOptions extends OutputOptions {
  /** `[oci://]registry/repository[:tag][@digest]`. */
  readonly reference: string;
  /** Default: `IMAGE-TAG.container.wrap.tgz` in the working directory. */
  readonly outputFile?: string | undefined;
  readonly platforms: readonly Platform[];
}

/** Makes one file of a single image, a container wrap. Throws DT_BAD_REFERENCE and what locking, copying and writing throw. */
export async function wrapImages(options: WrapImagesOptions, context: RunContext): Promise<WrapResult> {
  const text = trimOciScheme(options.reference);
  const folder = containerFolder(parseReference(text));
  const outputFile = options.outputFile ?? folder + CONTAINER_WRAP_EXTENSION;
  if (outputFile === '') throw new DtError('DT_USAGE', 'the name of the output file is empty');
  const signer = await openWrapSigner(options.signKeyFile, context.environment);
  return nameSide('source', async () =>
    context.reporter.section(`Wrapping image "${text}"`, async () => {
      await requireRegularOutput(outputFile);
      if (options.skipPreflight !== true) await requireWritablePlace(outputFile);
      const locked = await context.reporter.step(
        'Locking the image',
        async () => lockReferences([text], options.platforms, context),
        ({ lock }) => `Image locked (${countLockImages(lock.images)})`,
      );
      return writeOutput([{ name: folder, locked }], outputFile, { ...options, signer }, context);
    }),
  );
}

/** `IMAGE-TAG`: the last part of the repository, and the tag, `latest`, or the digest. */
function containerFolder({ repository, tag, digest }: Reference): string {
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  return `${name}-${tag ?? (digest === undefined ? DEFAULT_TAG : `sha256-${digestHex(digest)}`)}`;
}
