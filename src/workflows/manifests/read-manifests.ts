import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { copyError } from '../../domain/error-rules.ts';
import { DtError, isDtError, systemErrorCode } from '../../domain/errors.ts';
import { collectManifests, type Manifests } from '../../domain/manifests/collect-manifests.ts';
import {
  MAX_MANIFEST_BYTES,
  readManifestDocuments,
  type ManifestDocument,
} from '../../domain/manifests/manifest-document.ts';
import { STANDARD_STREAM } from '../../domain/standard-stream.ts';
import { decodeYamlText } from '../../domain/yaml/parse-yaml.ts';
import { readNamedBytes } from '../read-named-file.ts';

/** Files of a folder that hold manifests, as for kubectl. */
const EXTENSIONS: ReadonlySet<string> = new Set(['.yml', '.yaml', '.json']);
const STANDARD_INPUT_NAME = 'standard input';

/** Where manifests come from, in their order. */
export interface ManifestInput {
  /** Files, folders, and `-`. */
  readonly files: readonly string[];
  /** Opened only if it is asked for. */
  readonly stdin: () => Readable;
}

/** One text with manifests. */
interface NamedInput {
  readonly name: string;
  readonly read: () => Promise<Uint8Array> | Uint8Array;
}

/**
 * Reads manifests, with the locks and configurations among them; of a folder every file with YAML or JSON, by path. Throws DT_USAGE
 * for a URL, DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, DT_LIMIT_EXCEEDED, and as `readManifestDocuments` and `collectManifests`.
 */
export async function readManifests({ files, stdin }: ManifestInput): Promise<Manifests> {
  const documents = [];
  let totalBytes = 0;
  for (const file of files) {
    for (const { name, read } of await listInputs(file, stdin)) {
      const bytes = await read();
      totalBytes += bytes.length;
      requireSize(totalBytes);
      documents.push(...readInput(bytes, name));
    }
  }
  return collectManifests(documents);
}

function readInput(bytes: Uint8Array, name: string): ManifestDocument[] {
  try {
    return readManifestDocuments(decodeYamlText(bytes, name), name);
  } catch (error) {
    if (!isDtError(error, 'DT_YAML_INVALID')) throw error;
    throw copyError(error, { hints: ['kubectl create --dry-run=client -f FILE'] });
  }
}

async function listInputs(file: string, stdin: ManifestInput['stdin']): Promise<readonly NamedInput[]> {
  if (file === STANDARD_STREAM) return [{ name: STANDARD_INPUT_NAME, read: async () => readStream(stdin()) }];
  if (/^https?:\/\//i.test(file)) {
    throw new DtError('DT_USAGE', `${file} is a URL: manifests are read from files, folders and standard input`, {
      hints: ['curl -fsSL URL | {bin} manifests resolve -f -'],
    });
  }
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) return await listFolder(file);
    // What a shell gives for `<(helm template …)`.
    if (!stats.isFile()) return [{ name: file, read: async () => readStream(createReadStream(file)) }];
    return [toInput(file)];
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT')
      throw new DtError('DT_FILE_NOT_FOUND', `there is no file or folder ${file}`, { cause: error });
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${file} (${code})`, { cause: error });
  }
}

async function listFolder(folder: string): Promise<readonly NamedInput[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && EXTENSIONS.has(extname(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    .map(toInput);
}

function toInput(path: string): NamedInput {
  return { name: path, read: () => readNamedBytes(path, MAX_MANIFEST_BYTES) };
}

async function readStream(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    requireSize(sizeBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function requireSize(sizeBytes: number): void {
  if (sizeBytes <= MAX_MANIFEST_BYTES) return;
  throw new DtError('DT_LIMIT_EXCEEDED', `the manifests have more than ${String(MAX_MANIFEST_BYTES)} bytes`);
}
