import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packChartArchive } from '../../src/archive/chart-archive.ts';
import type { Chart } from '../../src/domain/chart/chart.ts';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface TemplateChartOptions {
  /** Contents of values files from outside. */
  readonly values?: readonly Uint8Array[];
  readonly kubeVersion?: string;
}

/** What `helm template` prints of a chart, hooks and definitions included; none of our own code for renderings has a part in it. */
export async function templateChart(helm: string, chart: Chart, options: TemplateChartOptions = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-template-'));
  try {
    const archive = join(folder, 'chart.tgz');
    await writeFile(archive, await packChartArchive(chart.metadata.name, chart.tree, { mtimeSeconds: 0 }));
    const args = ['template', 'release-name', archive, '--include-crds'];
    if (options.kubeVersion !== undefined) args.push('--kube-version', options.kubeVersion);
    for (const [index, bytes] of (options.values ?? []).entries()) {
      const file = join(folder, `${String(index)}.yaml`);
      await writeFile(file, bytes);
      args.push('--values', file);
    }
    const env = { HOME: folder, PATH: '' };
    return (await promisify(execFile)(helm, args, { env, maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}
