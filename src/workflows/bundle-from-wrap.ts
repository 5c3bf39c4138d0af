import { carryWrap } from './bundle/carry-wrap.ts';
import { copyCarried, type CopyBundleResult, type CopyTargets } from './copy-bundle.ts';
import type { RunContext } from './context.ts';
import { openWrap } from './opening/open-wrap.ts';

export interface BundleFromWrapOptions extends Pick<CopyTargets, 'toRepository' | 'toTar'> {
  /** A wrap of one chart. */
  readonly file: string;
}

/** Makes a Carvel bundle of a wrap: its chart with a lock, and the images. Throws as `carryWrap` and `copyBundle`. */
export async function bundleFromWrap(
  { file, ...targets }: BundleFromWrapOptions,
  context: RunContext,
): Promise<CopyBundleResult> {
  const wrap = await openWrap(file, context);
  try {
    const images = await context.reporter.step(`Reading "${file}"`, async () => carryWrap(wrap, context));
    return await copyCarried(images, { ...targets, includeNonDistributable: true }, context);
  } finally {
    await wrap.close();
  }
}
