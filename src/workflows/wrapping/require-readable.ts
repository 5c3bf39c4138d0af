import { countManifestBytes, type Graph } from '../../content/read-graph.ts';
import { chartTreeSizeBytes, MAX_CHART_BYTES, MAX_CHART_ENTRIES } from '../../domain/chart/chart-tree.ts';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';
import { requireReadableLock } from '../../domain/lock/parse-lock.ts';
import {
  MAX_SMALL_ENTRIES_BYTES,
  MAX_WRAP_MANIFESTS_BYTES,
  requireWithinLimit,
} from '../../domain/wrap/wrap-limits.ts';
import type { GatheredContent } from './gather-images.ts';
import { isLargeBlob } from './layout-writer.ts';
import { lockPath, type WrapFolder } from './wrap-folder.ts';

/**
 * Refuses, before any blob is fetched, what nobody could read on the other side. What depends on the layout of the file follows with its
 * plan. Throws DT_LIMIT_EXCEEDED.
 */
export function requireReadable(
  folders: readonly [WrapFolder, ...WrapFolder[]],
  contents: readonly GatheredContent[],
): void {
  const [{ name: wrapName }] = folders;
  for (const folder of folders) requireReadableFolder(folder);
  requireWithinLimit(countKeptBytes(folders, 0), MAX_CHART_BYTES, wrapName, 'bytes of charts and locks');
  requireWithinLimit(countAllManifestBytes(folders), MAX_WRAP_MANIFESTS_BYTES, wrapName, 'bytes of manifests');
  const small = new Map(
    contents.flatMap(({ graphs }) =>
      graphs.flatMap(({ blobs }) =>
        blobs.filter((blob) => !isLargeBlob(blob)).map(({ digest, size }) => [digest, size] as const),
      ),
    ),
  );
  const smallBytes = [...small.values()].reduce((sum, size) => sum + size, 0);
  requireWithinLimit(smallBytes, MAX_SMALL_ENTRIES_BYTES, wrapName, 'bytes of small entries');
}

/** What a reader holds in memory at once: charts, locks and `.dt/wrap.json`. Throws DT_LIMIT_EXCEEDED. */
export function requireReadableTogether(folders: readonly WrapFolder[], documentBytes: number, wrapName: string): void {
  requireWithinLimit(countKeptBytes(folders, documentBytes), MAX_CHART_BYTES, wrapName, 'bytes of charts and locks');
}

function requireReadableFolder({ name, chart, lockText, images }: WrapFolder): void {
  const lockImages = images.map(({ lockImage }) => lockImage);
  requireReadableLock(lockText, lockImages, lockPath(name, chart !== undefined));
  // The lock is one of the files of the chart.
  const entries = (chart?.tree ?? []).filter(({ path }) => path !== LOCK_FILE_NAME).length + 1;
  requireWithinLimit(entries, MAX_CHART_ENTRIES, name, 'files and folders of a chart');
}

function countKeptBytes(folders: readonly WrapFolder[], documentBytes: number): number {
  return folders.reduce((sum, { chart, lockText }) => {
    const files = (chart?.tree ?? []).filter(({ path }) => path !== LOCK_FILE_NAME);
    return sum + chartTreeSizeBytes(files) + Buffer.byteLength(lockText);
  }, documentBytes);
}

/** Each graph once, as a reader holds it. */
function countAllManifestBytes(folders: readonly WrapFolder[]): number {
  const graphs = new Map<string, Graph>();
  const add = (graph: Graph, isFiltered: boolean): void => {
    graphs.set(`${graph.root.descriptor.digest} ${String(isFiltered)}`, graph);
  };
  for (const { chart, images } of folders) {
    for (const image of images) {
      if (!('graph' in image)) continue;
      add(image.graph, image.isFiltered);
      for (const { graph } of image.attached) add(graph, false);
    }
    for (const { graph } of chart?.attached ?? []) add(graph, false);
  }
  return [...graphs.values()].reduce((sum, graph) => sum + countManifestBytes(graph), 0);
}
