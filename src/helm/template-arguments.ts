import type { RenderInput } from './render-input.ts';

const RELEASE_NAME = 'release-name';
const NAMESPACE = 'default';

/** What Helm is called with to render a chart that lies in a folder, with the values files at these paths. */
export function toTemplateArguments(
  chartFolder: string,
  valuesFiles: readonly string[],
  { kubeVersion, apiVersions, set }: RenderInput,
): string[] {
  return [
    'template',
    RELEASE_NAME,
    chartFolder,
    `--namespace=${NAMESPACE}`,
    '--include-crds',
    ...(kubeVersion === undefined ? [] : [`--kube-version=${kubeVersion}`]),
    ...apiVersions.map((version) => `--api-versions=${version}`),
    ...valuesFiles.map((file) => `--values=${file}`),
    ...set.map((assignment) => `--set=${assignment}`),
  ];
}
