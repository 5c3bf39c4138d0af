import { DtError } from '../domain/errors.ts';

const MAX_REASON_LENGTH = 600;

/**
 * Says what a chart that Helm refused needs. `folder` is where the chart lay for Helm: nobody knows it but us.
 */
export function toRenderError(chartName: string, errorOutput: string, folder: string): DtError {
  const reason = readReason(errorOutput, folder);
  return new DtError('DT_CHART_NOT_RENDERED', `the chart "${chartName}" does not render: ${reason}`, {
    hints: findHints(reason),
  });
}

/** Helm's last error, on one line. */
function readReason(errorOutput: string, folder: string): string {
  const start = Math.max(errorOutput.lastIndexOf('\nError: ') + 1, 0);
  const text = errorOutput
    .slice(start)
    .replace(/^Error: /, '')
    // Of no use without the chart on the screen.
    .replaceAll(/\n+Use --debug flag[^\n]*/g, '')
    .replaceAll(`${folder}/`, '')
    .replaceAll(folder, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('; ')
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+/g, ' ')
    .trim();
  if (text === '') return 'Helm says nothing about it';
  return text.length > MAX_REASON_LENGTH ? `${text.slice(0, MAX_REASON_LENGTH)}…` : text;
}

function findHints(reason: string): string[] {
  if (/requires kubeVersion/i.test(reason)) return ['--kube-version VERSION renders for another Kubernetes'];
  if (/missing in charts\//.test(reason)) return ['helm dependency update'];
  if (/parse error|function ".*" not defined|bad character|unclosed action/i.test(reason)) return [];
  const values = '-f FILE or --set KEY=VALUE gives the values that the chart wants';
  return /capabilit|api ?version|no matches for kind|CRD/i.test(reason)
    ? ['--api-versions GROUP/VERSION names what the cluster knows', values]
    : [values];
}
