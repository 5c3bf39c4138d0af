import type { Interfaces } from '@oclif/core';
import * as Flags from '@oclif/core/flags';

/** For every command that renders a chart with the user's Helm. */
export const RENDER_FLAGS = {
  'render-values': Flags.string({
    char: 'f',
    summary: 'values file to render the chart with, as helm template -f; may be repeated',
    helpValue: 'FILE',
    multiple: true,
    multipleNonGreedy: true,
  }),
  set: Flags.string({
    summary: 'value to render the chart with, as helm template --set; may be repeated',
    helpValue: 'KEY=VALUE',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'kube-version': Flags.string({
    summary: 'version of Kubernetes to render for (default: what Helm takes, or the nearest that the chart allows)',
    helpValue: 'VERSION',
  }),
  'api-versions': Flags.string({
    summary: 'what the cluster knows beside the usual, for charts that ask',
    helpValue: 'GROUP/VERSION',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
  }),
};

/** For those that also look for images of features that are off. */
export const FEATURE_FLAGS = {
  ...RENDER_FLAGS,
  'all-variants': Flags.boolean({
    summary: 'look for images of features that are off more thoroughly: each feature is also tried alone',
  }),
};

/** How the chart is to be rendered; the values files are paths. */
export function readRenderFlags(flags: Interfaces.InferredFlags<typeof RENDER_FLAGS>): {
  readonly valuesFiles: readonly string[];
  readonly set: readonly string[];
  readonly kubeVersion: string | undefined;
  readonly apiVersions: readonly string[];
} {
  return {
    valuesFiles: flags['render-values'] ?? [],
    set: flags.set ?? [],
    kubeVersion: flags['kube-version'],
    apiVersions: flags['api-versions'] ?? [],
  };
}
