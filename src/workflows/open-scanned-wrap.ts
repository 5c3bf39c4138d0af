import type { Readable } from 'node:stream';
import { readEntry, scanWrap } from '../archive/scan-wrap.ts';
import type { TarEntry } from '../archive/tar-header.ts';
import type { Graph } from '../content/read-graph.ts';
import { ScannedStore, type ScannedBlob } from '../content/scanned-store.ts';
import {
  buildChartTree,
  CHART_MODE_BITS,
  MAX_CHART_BYTES,
  MAX_CHART_ENTRIES,
  type ChartEntry,
} from '../domain/chart/chart-tree.ts';
import { DtError } from '../domain/errors.ts';
import { LOCK_FILE_NAME, type LockImage } from '../domain/lock/images-lock.ts';
import { parseImagesLock } from '../domain/lock/parse-lock.ts';
import { createDigestHash, digestHex, isDigest, type Digest } from '../domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../domain/oci/manifest.ts';
import { CHART_FOLDER, WRAP_DOCUMENT_PATH } from '../domain/wrap/wrap-document.ts';
import type { RunContext } from './context.ts';
import { missingLockError, type OpenedWrap } from './opened-wrap.ts';
import { rebuildImageGraph } from './rebuild-index.ts';

/** Manifests and configs of a wrap, which are held in memory together. */
const MAX_DOCUMENTS_BYTES = 128 * 1024 * 1024;
const BLOB_PATTERN = /^images\/[^/]+\.layout\/blobs\/(sha256|sha512)\/([a-f0-9]+)$/;
const OPENING_BRACE = 0x7b;

interface Scan {
  /** By path. */
  readonly chart: Map<string, ChartEntry>;
  readonly blobs: Map<Digest, ScannedBlob>;
  chartEntries: number;
  chartBytes: number;
  documentBytes: number;
  hasArtifacts: boolean;
}

/**
 * Opens a wrap without table of contents: one of the Go tool. Goes through the whole file once, checks every blob against
 * its name, and keeps the chart, the manifests and the configs.
 */
export async function openScannedWrap(path: string, context: RunContext): Promise<OpenedWrap> {
  const scan: Scan = {
    chart: new Map(),
    blobs: new Map(),
    chartEntries: 0,
    chartBytes: 0,
    documentBytes: 0,
    hasArtifacts: false,
  };
  await scanWrap(
    path,
    async (entry, content) => {
      await takeEntry(scan, entry, content, path);
      return undefined;
    },
    context.signal,
  );
  if (scan.hasArtifacts) context.reporter.warn(`${path} holds signatures and metadata, which are not pushed`);
  const chartTree = buildChartTree([...scan.chart.values()]);
  const lockFile = chartTree.find((entry) => entry.path === LOCK_FILE_NAME);
  if (chartTree.length === 0) throw new DtError('DT_WRAP_INVALID', `${path} is not a wrap: it has no chart`);
  if (lockFile === undefined) throw missingLockError(path);
  const store = new ScannedStore(path, scan.blobs);
  return {
    path,
    chartTree,
    lock: parseImagesLock(Buffer.from(lockFile.bytes).toString('utf8'), LOCK_FILE_NAME),
    store,
    isFiltered: () => false,
    readGraph: async (image, runContext) => {
      const graph = await rebuildImageGraph(store, image, runContext);
      requireBlobs(graph, image, scan.blobs, path);
      return graph;
    },
    close: () => Promise.resolve(),
  };
}

async function takeEntry(scan: Scan, entry: TarEntry, content: Readable, wrapPath: string): Promise<void> {
  const { path, type, mode } = entry;
  if (path === WRAP_DOCUMENT_PATH) {
    throw new DtError('DT_WRAP_TRUNCATED', `${wrapPath} is cut: it has no footer`);
  }
  if (path.startsWith('artifacts/')) scan.hasArtifacts = true;
  if (path.startsWith(`${CHART_FOLDER}/`) && (type === 'file' || type === 'directory')) {
    scan.chartBytes += entry.sizeBytes;
    const bytes = await readEntry(entry, content, MAX_CHART_BYTES);
    if (scan.chartBytes > MAX_CHART_BYTES)
      throw new DtError('DT_LIMIT_EXCEEDED', `the chart in ${wrapPath} is too large`);
    scan.chartEntries++;
    if (scan.chartEntries > MAX_CHART_ENTRIES) {
      throw new DtError(
        'DT_LIMIT_EXCEEDED',
        `the chart in ${wrapPath} has more than ${String(MAX_CHART_ENTRIES)} files and folders`,
      );
    }
    const chartPath = path.slice(CHART_FOLDER.length + 1);
    if (type === 'file' && scan.chart.has(chartPath)) {
      throw new DtError('DT_UNSAFE_ENTRY', `${wrapPath} has the entry ${path} twice`);
    }
    scan.chart.set(chartPath, { path: chartPath, type, mode: mode & CHART_MODE_BITS, bytes });
    return;
  }
  const match = type === 'file' ? BLOB_PATTERN.exec(path) : null;
  const digest = match === null ? '' : `${String(match[1])}:${String(match[2])}`;
  if (isDigest(digest)) await takeBlob(scan, digest, entry, content, wrapPath);
}

/** Checks a blob while it streams by; what looks like a JSON document is kept. */
async function takeBlob(
  scan: Scan,
  digest: Digest,
  entry: TarEntry,
  content: Readable,
  wrapPath: string,
): Promise<void> {
  const hash = createDigestHash(digest);
  let kept: Buffer[] | undefined;
  let isFirst = true;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    if (isFirst && chunk[0] === OPENING_BRACE && entry.sizeBytes <= MAX_MANIFEST_BYTES && !scan.blobs.has(digest))
      kept = [];
    isFirst = false;
    hash.update(chunk);
    kept?.push(chunk);
  }
  if (hash.digest('hex') !== digestHex(digest)) {
    throw new DtError(
      'DT_DIGEST_MISMATCH',
      `the entry ${entry.path} of ${wrapPath} does not have the digest in its name`,
    );
  }
  if (scan.blobs.has(digest)) return;
  const bytes = kept === undefined ? undefined : Buffer.concat(kept);
  scan.documentBytes += bytes?.length ?? 0;
  if (scan.documentBytes > MAX_DOCUMENTS_BYTES) {
    throw new DtError(
      'DT_LIMIT_EXCEEDED',
      `${wrapPath} has more than ${String(MAX_DOCUMENTS_BYTES)} bytes of manifests`,
    );
  }
  scan.blobs.set(digest, { path: entry.path, sizeBytes: entry.sizeBytes, ...(bytes === undefined ? {} : { bytes }) });
}

function requireBlobs(graph: Graph, image: LockImage, blobs: ReadonlyMap<Digest, ScannedBlob>, path: string): void {
  for (const { digest, size } of graph.blobs) {
    const blob = blobs.get(digest);
    if (blob === undefined)
      throw new DtError('DT_WRAP_INCOMPLETE', `blob ${digest} of ${image.image} is not in ${path}`);
    if (blob.sizeBytes !== size) {
      throw new DtError(
        'DT_SIZE_MISMATCH',
        `blob ${digest} of ${image.image} in ${path} does not have the size that its manifest says`,
      );
    }
  }
}
