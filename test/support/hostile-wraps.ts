import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { crc32, gunzipSync } from 'node:zlib';
import { extract, pack, type Header } from 'tar-stream';
import {
  deflateMember,
  formatFooter,
  GZIP_HEADER,
  gzipTrailer,
  STORED_BLOCK_BYTES,
  storedBlockHeader,
} from '../../src/archive/gzip-member.ts';
import { SilentReporter } from '../../src/output/silent-reporter.ts';
import type { RunContext } from '../../src/workflows/context.ts';
import { createRunContext, type ContextOptions } from '../../src/workflows/create-context.ts';
import { wrapCharts } from '../../src/workflows/wrap-charts.ts';
import { pushImage, randomBytesOf } from './images.ts';
import { startEmbeddedRegistry } from './registries.ts';

const LARGE_BYTES = 64 * 1024;
const END_OF_ARCHIVE = Buffer.alloc(1024);

/** An entry of a wrap with a header that may say anything. */
export interface WrapPiece {
  readonly header: Partial<Header> & Pick<Header, 'name'>;
  readonly content: Buffer;
  /** Put into a stored member of its own. Default: by size, as our writer does. */
  readonly isLarge?: boolean;
}

export type TocMembers = (readonly [offset: number, length: number, path?: string])[];

export interface AssembleOptions {
  /** Lies about the members. */
  readonly editToc?: (members: TocMembers) => unknown;
  /** Lies about the place of the table of contents. */
  readonly editFooter?: (tocOffset: number) => number;
  /** Bytes instead of the deflated member of small entries. */
  readonly smallMember?: Buffer;
  /** Leave table of contents and footer away, as other tools do. */
  readonly isPlain?: boolean;
  /** Where `.dt/` lies. Default `demo-1.2.3`. */
  readonly topFolder?: string;
}

/** A run of the workflows that tells nothing and reads no settings of this machine. */
export async function createTestContext(
  environment: Readonly<Record<string, string>> = {},
  settings: Partial<ContextOptions> = {},
): Promise<RunContext> {
  return createRunContext({
    reporter: new SilentReporter({ write: () => undefined, showsWarnings: false }),
    prompter: { confirm: () => Promise.resolve(true) },
    signal: new AbortController().signal,
    environment: { HOME: '/nonexistent', ...environment },
    insecure: false,
    usePlainHttp: false,
    caFiles: [],
    ...settings,
  });
}

/** Runs with a folder that goes away afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-hostile-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface ChartFiles {
  readonly [path: string]: string | Uint8Array;
}

/** Writes files below a folder, making the folders that they need. */
export async function writeFiles(folder: string, files: ChartFiles): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** A chart whose one annotation names the images. */
export function chartFiles(images: readonly string[], more: ChartFiles = {}): ChartFiles {
  const list = images.map((image, index) => `    - name: image${String(index)}\n      image: ${image}\n`).join('');
  return {
    'Chart.yaml': `apiVersion: v2\nname: demo\nversion: 1.2.3\nappVersion: "4"\nannotations:\n  images: |\n${list}`,
    'values.yaml': images.map((image, index) => `image${String(index)}: ${image}\n`).join(''),
    'templates/pod.yaml': 'kind: Pod\n',
    ...more,
  };
}

let honestWrap: Promise<Buffer> | undefined;

/**
 * The bytes of a wrap that our own code has made: an index of two platforms with layers over and under the limit for
 * members of their own, a single-platform image, and a chart with a large file. The same bytes in every run but for the ports.
 */
export function makeHonestWrap(): Promise<Buffer> {
  honestWrap ??= withFolder(async (folder) => {
    const registry = await startEmbeddedRegistry();
    try {
      await pushImage(registry.host, 'library/multi:1.0', { layerBytes: 80_000, seed: 'multi', sharedLayers: 1 });
      await pushImage(registry.host, 'library/single:2.0', {
        platforms: ['linux/amd64'],
        layerBytes: 3_000,
        seed: 'single',
      });
      const images = [`${registry.host}/library/multi:1.0`, `${registry.host}/library/single:2.0`];
      const files = chartFiles(images, { 'files/large.bin': randomBytesOf('large', 70_000) });
      await writeFiles(join(folder, 'demo'), files);
      const outputFile = join(folder, 'demo.wrap.tgz');
      const options = { platforms: [], allowEmpty: false, skipImages: false, isCompatible: false };
      await wrapCharts(
        { sources: [{ location: join(folder, 'demo') }], outputFile, ...options },
        await createTestContext({ SOURCE_DATE_EPOCH: '1700000000' }),
      );
      return await readFile(outputFile);
    } finally {
      await registry.close();
    }
  });
  return honestWrap;
}

/** The entries of a wrap but for its table of contents. */
export async function takeApart(wrap: Uint8Array): Promise<WrapPiece[]> {
  const archive = extract();
  archive.end(gunzipSync(wrap));
  const pieces: WrapPiece[] = [];
  for await (const entry of archive) {
    const { name, type, mode, linkname } = entry.header;
    const content = await buffer(entry);
    if (name.endsWith('/.dt/toc.json')) continue;
    const isFile = type === 'file';
    pieces.push({
      header: { name, type, mode, ...(isFile ? {} : { linkname }) },
      content,
    });
  }
  return pieces;
}

/** Puts entries together in the form of our own wraps, without any of the checks of our writer. */
export async function assembleWrap(pieces: readonly WrapPiece[], options: AssembleOptions = {}): Promise<Buffer> {
  const isLink = ({ header }: WrapPiece): boolean => header.type === 'link';
  const isLarge = (piece: WrapPiece): boolean => piece.isLarge ?? piece.content.length >= LARGE_BYTES;
  const small = pieces.filter((piece) => !isLink(piece) && !isLarge(piece));
  const members: TocMembers = [];
  const parts: Buffer[] = [];
  let offset = 0;
  const add = (bytes: Buffer, path?: string): void => {
    members.push(path === undefined ? [offset, bytes.length] : [offset, bytes.length, path]);
    parts.push(bytes);
    offset += bytes.length;
  };
  add(options.smallMember ?? deflateMember(await tarOf(small)));
  for (const piece of pieces.filter(isLarge)) add(storedMember(await tarOf([piece])), piece.header.name);
  const tocOffset = offset;
  const links = await tarOf(pieces.filter(isLink));
  if (options.isPlain === true) return Buffer.concat([...parts, deflateMember(Buffer.concat([links, END_OF_ARCHIVE]))]);
  const document = { members: options.editToc?.(members) ?? members };
  const documentName =
    pieces.find(({ header }) => header.name.endsWith('/.dt/wrap.json'))?.header.name ?? 'demo-1.2.3/';
  const name = `${documentName.slice(0, documentName.indexOf('/'))}/.dt/toc.json`;
  const toc = { header: { name }, content: Buffer.from(JSON.stringify(document)) };
  const last = deflateMember(Buffer.concat([links, await tarOf([toc]), END_OF_ARCHIVE]));
  return Buffer.concat([...parts, last, formatFooter(options.editFooter?.(tocOffset) ?? tocOffset)]);
}

/** The entries as tar without its end mark. */
export async function tarOf(pieces: readonly WrapPiece[]): Promise<Buffer> {
  const packer = pack();
  for (const { header, content } of pieces) {
    const full = { mtime: new Date(0), ...header };
    if (['file', 'contiguous-file'].includes(header.type ?? 'file')) packer.entry(full, content);
    else packer.entry(full);
  }
  packer.finalize();
  const tar = await buffer(packer);
  return tar.subarray(0, tar.length - END_OF_ARCHIVE.length);
}

/** One gzip member with the content in stored blocks. */
export function storedMember(content: Buffer): Buffer {
  const parts: Buffer[] = [GZIP_HEADER];
  for (let block = 0; block === 0 || block * STORED_BLOCK_BYTES < content.length; block++) {
    const start = block * STORED_BLOCK_BYTES;
    parts.push(storedBlockHeader(content.length, block), content.subarray(start, start + STORED_BLOCK_BYTES));
  }
  return Buffer.concat([...parts, gzipTrailer(crc32(content), content.length)]);
}

/** The wrap with one JSON entry edited. */
export function editJson(
  pieces: readonly WrapPiece[],
  suffix: string,
  edit: (document: Record<string, unknown>) => unknown,
): WrapPiece[] {
  return editEntry(pieces, suffix, (content) => {
    const document = JSON.parse(content.toString('utf8')) as Record<string, unknown>;
    return Buffer.from(JSON.stringify(edit(document) ?? document));
  });
}

/** The wrap with one entry edited; throws if there is no such entry. */
export function editEntry(
  pieces: readonly WrapPiece[],
  suffix: string,
  edit: (content: Buffer) => Buffer | string,
): WrapPiece[] {
  if (!pieces.some(({ header }) => header.name.endsWith(suffix))) throw new Error(`no entry ends with ${suffix}`);
  return pieces.map((piece) =>
    piece.header.name.endsWith(suffix) ? { ...piece, content: Buffer.from(edit(piece.content)) } : piece,
  );
}

/** A file that goes into the wrap. */
export function piece(name: string, content: string | Buffer = '', header: Partial<Header> = {}): WrapPiece {
  return { header: { name, mode: 0o644, ...header }, content: Buffer.from(content) };
}
