import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { readTarEntries } from '../../src/archive/unpack-tar.ts';
import { REPOSITORY_ROOT, runCommand } from '../lib/run-command.ts';
import locked from './node-binaries.json' with { type: 'json' };
import type { PlatformName } from './platforms.ts';

const CACHE_FOLDER = join(REPOSITORY_ROOT, '.tools', 'node-binaries');
const BINARIES = new Set(['package/bin/node', 'package/bin/node.exe']);
const LICENSE = 'package/LICENSE';

export interface NodeDistribution {
  readonly binary: Buffer;
  /** Absent in the package for Windows. */
  readonly license: string | undefined;
}

/** The version of Node.js in every executable. */
export const NODE_VERSION = locked.version;

/** The npm package with the Node.js of a platform, as `node-binaries.json` locks it. */
export function lockedNode(platform: PlatformName): { readonly name: string; readonly integrity: string } {
  const entry = (locked.packages as Partial<Record<PlatformName, { name: string; integrity: string }>>)[platform];
  if (entry === undefined) throw new Error(`node-binaries.json has no Node.js for ${platform}`);
  return entry;
}

/** Fetches the Node.js of a platform through npm, once. Throws unless it is the one that `node-binaries.json` locks. */
export async function fetchNode(platform: PlatformName): Promise<NodeDistribution> {
  const { name, integrity } = lockedNode(platform);
  const archive = await fetchPackage(`${name}-${NODE_VERSION}.tgz`, `${name}@${NODE_VERSION}`);
  const found = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  if (found !== integrity) throw new Error(`${name}@${NODE_VERSION} has the integrity ${found}, not ${integrity}`);
  const files = new Map<string, Buffer>();
  await readTarEntries(
    Readable.from([archive]).pipe(createGunzip()),
    {
      name,
      limits: { maxEntries: 50_000, maxTotalBytes: 2 ** 30 },
      truncatedCode: 'DT_CHART_INVALID',
      invalidCode: 'DT_CHART_INVALID',
    },
    async ({ path }, content) => {
      if (path === LICENSE || BINARIES.has(path)) files.set(path, await buffer(content));
    },
  );
  const binary = [...BINARIES].map((path) => files.get(path)).find((bytes) => bytes !== undefined);
  if (binary === undefined) throw new Error(`${name} has no Node.js in it`);
  return { binary, license: files.get(LICENSE)?.toString() };
}

async function fetchPackage(fileName: string, specification: string): Promise<Buffer> {
  const path = join(CACHE_FOLDER, fileName);
  const kept = await readFile(path).catch(() => undefined);
  if (kept !== undefined) return kept;
  await mkdir(CACHE_FOLDER, { recursive: true });
  const pack = ['pack', specification, '--silent', '--prefer-offline', '--pack-destination', CACHE_FOLDER];
  const { code, output } = await runCommand('npm', pack, { isCaptured: true });
  if (code !== 0) throw new Error(`npm cannot fetch ${specification}:\n${output.trimEnd()}`);
  return readFile(path);
}
