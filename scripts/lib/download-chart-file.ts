import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { findChartFile } from '../../src/domain/chart/chart-tree.ts';

/** The text of one file of a chart in a plain HTTP registry. */
export async function downloadChartFile(host: string, repository: string, tag: string, path: string): Promise<string> {
  const base = `http://${host}/v2/${repository}`;
  const manifest = (await (await fetch(`${base}/manifests/${tag}`)).json()) as { layers: { digest: string }[] };
  const blob = await fetch(`${base}/blobs/${manifest.layers[0]?.digest ?? ''}`);
  const tree = await unpackChartArchive(new Uint8Array(await blob.arrayBuffer()), repository);
  return Buffer.from(findChartFile(tree, path)?.bytes ?? '').toString('utf8');
}
