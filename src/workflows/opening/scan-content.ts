import type { Readable } from 'node:stream';
import { readEntry, scanWrap } from '../../archive/scan-wrap.ts';
import type { TarEntry } from '../../archive/tar-header.ts';
import type { ScannedBlob } from '../../content/scanned-store.ts';
import { CHART_MODE_BITS, MAX_CHART_BYTES, MAX_CHART_ENTRIES, type ChartEntry } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';
import { createDigestHash, digestHex, isDigest, type Digest } from '../../domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../domain/oci/manifest.ts';
import { CHART_FOLDER, WRAP_DOCUMENT_PATH } from '../../domain/wrap/wrap-document.ts';

/** Manifests and configs of a wrap, which are held in memory together. */
const MAX_DOCUMENTS_BYTES = 128 * 1024 * 1024;
const BLOB_PATTERN = /^(?:images\/[^/]+\.layout|artifacts(?:\/[^/]+){2,4})\/blobs\/(sha256|sha512)\/([a-f0-9]+)$/;
/** The `index.json` of an artifact's layout. */
const ARTIFACT_PATTERN = /^(artifacts(?:\/[^/]+){2,4})\/index\.json$/;
const OPENING_BRACE = 0x7b;

/** What one pass through a wrap without table of contents keeps. */
export interface ScannedContent {
  /** By path below `chart/`. */
  readonly chart: Map<string, ChartEntry>;
  readonly blobs: Map<Digest, ScannedBlob>;
  /** The text of `index.json` of each artifact by its folder, for instance `artifacts/images/contour/envoy/1.2.3.sig`. */
  readonly artifacts: Map<string, Buffer>;
  /** The lock of a wrap of single images. */
  containerLock: Buffer | undefined;
  chartEntries: number;
  chartBytes: number;
  documentBytes: number;
}

/** Goes through the whole file once and checks every blob against its name. Throws as `scanWrap`, DT_DIGEST_MISMATCH, DT_LIMIT_EXCEEDED. */
export async function scanContent(path: string, signal: AbortSignal): Promise<ScannedContent> {
  const scan: ScannedContent = {
    chart: new Map(),
    blobs: new Map(),
    artifacts: new Map(),
    containerLock: undefined,
    chartEntries: 0,
    chartBytes: 0,
    documentBytes: 0,
  };
  await scanWrap(
    path,
    async (entry, content) => {
      await takeEntry(scan, entry, content, path);
      return undefined;
    },
    signal,
  );
  return scan;
}

async function takeEntry(scan: ScannedContent, entry: TarEntry, content: Readable, wrapPath: string): Promise<void> {
  const { path, type } = entry;
  if (path === WRAP_DOCUMENT_PATH) {
    throw new DtError('DT_WRAP_TRUNCATED', `${wrapPath} is cut: it has no footer`);
  }
  if (path.startsWith(`${CHART_FOLDER}/`) && (type === 'file' || type === 'directory')) {
    await takeChartEntry(scan, entry, content, wrapPath);
    return;
  }
  if (type !== 'file') return;
  if (path === LOCK_FILE_NAME) {
    if (scan.containerLock !== undefined) throw repeatedEntry(path, wrapPath);
    scan.containerLock = await readEntry(entry, content, MAX_CHART_BYTES);
    countDocument(scan, scan.containerLock, wrapPath);
    return;
  }
  const artifact = ARTIFACT_PATTERN.exec(path)?.[1];
  if (artifact !== undefined) {
    if (scan.artifacts.has(artifact)) throw repeatedEntry(path, wrapPath);
    const bytes = await readEntry(entry, content, MAX_MANIFEST_BYTES);
    countDocument(scan, bytes, wrapPath);
    scan.artifacts.set(artifact, bytes);
    return;
  }
  const match = BLOB_PATTERN.exec(path);
  const digest = match === null ? '' : `${String(match[1])}:${String(match[2])}`;
  if (isDigest(digest)) await takeBlob(scan, digest, entry, content, wrapPath);
}

async function takeChartEntry(
  scan: ScannedContent,
  entry: TarEntry,
  content: Readable,
  wrapPath: string,
): Promise<void> {
  const { path, type, mode } = entry;
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
  if (type === 'file' && scan.chart.has(chartPath)) throw repeatedEntry(path, wrapPath);
  scan.chart.set(chartPath, {
    path: chartPath,
    type: type === 'file' ? 'file' : 'directory',
    mode: mode & CHART_MODE_BITS,
    bytes,
  });
}

/** Checks a blob while it streams by; what looks like a JSON document is kept. */
async function takeBlob(
  scan: ScannedContent,
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
  if (bytes !== undefined) countDocument(scan, bytes, wrapPath);
  scan.blobs.set(digest, { path: entry.path, sizeBytes: entry.sizeBytes, ...(bytes === undefined ? {} : { bytes }) });
}

function countDocument(scan: ScannedContent, bytes: Buffer, wrapPath: string): void {
  scan.documentBytes += bytes.length;
  if (scan.documentBytes > MAX_DOCUMENTS_BYTES) {
    throw new DtError(
      'DT_LIMIT_EXCEEDED',
      `${wrapPath} has more than ${String(MAX_DOCUMENTS_BYTES)} bytes of manifests`,
    );
  }
}

function repeatedEntry(path: string, wrapPath: string): DtError {
  return new DtError('DT_UNSAFE_ENTRY', `${wrapPath} has the entry ${path} twice`);
}
