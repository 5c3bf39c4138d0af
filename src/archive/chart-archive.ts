import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import {
  buildChartTree,
  CHART_MODE_BITS,
  MAX_CHART_BYTES,
  MAX_CHART_ENTRIES,
  type ChartEntry,
  type ChartTree,
} from '../domain/chart/chart-tree.ts';
import { DtError } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { checkEntryPath } from './entry-path.ts';
import { encodeTarHeader, TAR_END_BYTES, tarPaddingBytes, type TarEntry } from './tar-header.ts';
import { readTarEntries } from './unpack-tar.ts';

const GZIP_LEVEL = 9;
const GZIP_OS_OFFSET = 9;
/** "Unknown": the library would write the system that it runs on. https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1 */
const GZIP_OS_UNKNOWN = 255;

export interface UnpackChartOptions {
  /** Sum of the sizes of all files. */
  readonly maxBytes?: number;
}

export interface PackChartOptions {
  /** The time of every entry: `SOURCE_DATE_EPOCH`, or zero. */
  readonly mtimeSeconds: number;
}

/**
 * Unpacks a packaged chart in memory. The first part of every path is taken off, whatever it is; of two entries with one
 * path the last counts. `name` is what messages call the archive. Throws DT_CHART_INVALID, DT_UNSAFE_ENTRY,
 * DT_LIMIT_EXCEEDED.
 */
export async function unpackChartArchive(
  bytes: Uint8Array,
  name: string,
  options: UnpackChartOptions = {},
): Promise<ChartTree> {
  return readChartArchive(bytes, name, options.maxBytes ?? MAX_CHART_BYTES, async (content) => buffer(content));
}

/** The digests of the files of a packaged chart by path, without holding it in memory. Reads and throws as `unpackChartArchive`. */
export async function digestChartArchive(bytes: Uint8Array, name: string): Promise<ReadonlyMap<string, Digest>> {
  const digests = await readChartArchive(bytes, name, MAX_CHART_BYTES, async (content) => {
    const hash = createHash('sha256');
    for await (const chunk of content as AsyncIterable<Buffer>) hash.update(chunk);
    return hash.digest();
  });
  return new Map(
    digests.flatMap(({ path, type, bytes: digest }) =>
      type === 'file' ? [[path, `sha256:${Buffer.from(digest).toString('hex')}` as Digest] as const] : [],
    ),
  );
}

async function readChartArchive(
  bytes: Uint8Array,
  name: string,
  maxTotalBytes: number,
  readFile: (content: Readable) => Promise<Uint8Array>,
): Promise<ChartTree> {
  const entries: ChartEntry[] = [];
  const limits = { maxEntries: MAX_CHART_ENTRIES, maxTotalBytes };
  const source = Readable.from([bytes], { objectMode: false });
  // Not part of the pipeline of the reader, so its errors are handed on.
  const unzipped = createGunzip();
  source.pipe(unzipped);
  await readTarEntries(
    unzipped,
    { name, limits, truncatedCode: 'DT_CHART_INVALID', invalidCode: 'DT_CHART_INVALID' },
    async (entry, content) => {
      const path = takeOffFirstPart(entry, name);
      if (path === '') return;
      const mode = entry.mode & CHART_MODE_BITS;
      if (entry.type === 'directory') entries.push({ path, type: 'directory', mode, bytes: new Uint8Array() });
      else entries.push({ path, type: 'file', mode, bytes: await readFile(content) });
    },
  );
  if (!entries.some((entry) => entry.type === 'file')) {
    throw new DtError('DT_CHART_INVALID', `${name} is not a chart: it has no files`);
  }
  return buildChartTree(entries);
}

/**
 * Packs a chart as `CHARTNAME/…`, the way charts are pushed: depth first, folders included, owned by nobody. Equal trees
 * give equal bytes.
 */
export async function packChartArchive(
  chartName: string,
  tree: ChartTree,
  { mtimeSeconds }: PackChartOptions,
): Promise<Buffer> {
  const tar = Readable.from(listTarChunks(chartName, tree, mtimeSeconds), { objectMode: false });
  const packed = await pipeline(tar, createGzip({ level: GZIP_LEVEL }), async (chunks) => buffer(chunks));
  packed[GZIP_OS_OFFSET] = GZIP_OS_UNKNOWN;
  return packed;
}

/** The archive piece by piece: a large chart is not in memory twice. */
function* listTarChunks(chartName: string, tree: ChartTree, mtimeSeconds: number): Generator<Uint8Array> {
  for (const { path, type, mode, bytes } of buildChartTree(tree)) {
    const sizeBytes = bytes.length;
    yield encodeTarHeader({ path: `${chartName}/${path}`, type, mode, sizeBytes, mtimeSeconds });
    if (sizeBytes > 0) yield bytes;
    if (tarPaddingBytes(sizeBytes) > 0) yield Buffer.alloc(tarPaddingBytes(sizeBytes));
  }
  yield Buffer.alloc(TAR_END_BYTES);
}

function takeOffFirstPart(entry: TarEntry, name: string): string {
  const slash = entry.path.indexOf('/');
  if (slash !== -1) return checkEntryPath(entry.path.slice(slash + 1));
  if (entry.type === 'directory') return '';
  throw new DtError('DT_CHART_INVALID', `${name} is not a chart: the file "${entry.path}" lies outside of a folder`);
}
