import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import { findInstalledPackage } from './pushing/find-installed-package.ts';
import { openPlugin, type OpenPlugin } from './pushing/open-plugin.ts';
import { checkArtifactTag } from './pushing/push-artifact.ts';
import { pushOpenPlugin, type PushPluginResult } from './push-plugin.ts';
import { unwrapCharts, type UnwrapChartsOptions, type UnwrapChartsResult } from './unwrap-charts.ts';

/** The package that the running program was installed from, or the one that the user names. */
export type PluginChoice = 'installed' | { readonly file: string };

export interface UnwrapWithPluginOptions extends UnwrapChartsOptions {
  readonly withPlugin: PluginChoice | undefined;
}

export interface UnwrapWithPluginResult extends UnwrapChartsResult {
  /** The package under the same prefix; absent if none was asked for, or nothing was pushed. */
  readonly plugin?: PushPluginResult;
}

/**
 * Does what `unwrapCharts` does, and pushes a package of this plugin below the same prefix. The package is read, and its tag looked at, before
 * anything is pushed; it goes last. Throws DT_USAGE if it is unknown where the program was installed from, and what `unwrapCharts` and
 * `pushPlugin` throw.
 */
export async function unwrapWithPlugin(
  { withPlugin, ...options }: UnwrapWithPluginOptions,
  context: RunContext,
): Promise<UnwrapWithPluginResult> {
  if (withPlugin === undefined) return unwrapCharts(options, context);
  const file = withPlugin === 'installed' ? await findInstalledPackage(context.environment) : withPlugin.file;
  const opened = await openPlugin(file, options.prefix, context);
  try {
    await nameSide('destination', async () => checkArtifactTag(opened.push, options, context));
    const result = await unwrapCharts(options, context);
    return result.pushed ? { ...result, plugin: await pushLast(opened, options, context) } : result;
  } finally {
    await opened.close();
  }
}

async function pushLast(
  opened: OpenPlugin,
  options: UnwrapChartsOptions,
  context: RunContext,
): Promise<PushPluginResult> {
  return nameSide('destination', async () =>
    context.reporter.section(`Pushing plugin "${opened.file}"`, async () => pushOpenPlugin(opened, options, context)),
  );
}
