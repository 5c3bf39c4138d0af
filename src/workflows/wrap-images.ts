import { DtError } from '../domain/errors.ts';
import { trimOciScheme } from '../domain/oci/oci-scheme.ts';
import { parseReference } from '../domain/oci/reference.ts';
import type { Platform } from '../domain/oci/platform.ts';
import { nameContainer } from '../domain/wrap/name-container.ts';
import { CONTAINER_WRAP_EXTENSION, DELTA_INFIX, wrapFolder } from '../domain/wrap/wrap-document.ts';
import type { RunContext } from './context.ts';
import { countLockImages, lockReferences } from './locking/lock-images.ts';
import { nameSide } from './name-side.ts';
import { readBases } from './wrapping/read-bases.ts';
import { requireOtherFile, requireOutputPlace } from './wrapping/require-output-place.ts';
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
  const folder = wrapFolder(nameContainer(parseReference(text)));
  const isDelta = options.bases !== undefined && options.bases.length > 0;
  const outputFile = options.outputFile ?? folder + (isDelta ? DELTA_INFIX : '') + CONTAINER_WRAP_EXTENSION;
  if (outputFile === '') throw new DtError('DT_USAGE', 'the name of the output file is empty');
  const signer = await openWrapSigner(options.signKeyFile, context.environment);
  return nameSide('source', async () =>
    context.reporter.section(`Wrapping image "${text}"`, async () => {
      await requireOutputPlace(outputFile, options);
      await requireOtherFile(outputFile, options.bases ?? []);
      const base = await readBases(options.bases ?? [], options, context);
      const locked = await context.reporter.step(
        'Locking the image',
        async () => lockReferences([text], options.platforms, context),
        ({ lock }) => `Image locked (${countLockImages(lock.images)})`,
      );
      return writeOutput([{ name: folder, locked }], outputFile, { ...options, signer, base }, context);
    }),
  );
}
