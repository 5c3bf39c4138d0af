import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { runCommand } from '../lib/run-command.ts';
import type { BundledProgram } from './bundle-program.ts';
import { isHost, type Platform } from './platforms.ts';
import { signExecutable } from './sign-executable.ts';

const LOADERS = join(import.meta.dirname, 'loaders');
const MAIN = 'executable.cjs';
const [CONFIGURATION, NODE, OUTPUT] = ['sea.json', 'node', 'dt'];
/** Blobs lie outside of the heap: young objects that are collected early save up to a hundred MiB and cost no time. */
const NODE_FLAGS = ['--max-semi-space-size=4'];
/** Make V8 compile the same code to the same bytes. V8 takes a cache only from a process with its own flags, so they are taken back. */
const DETERMINISM_FLAGS = ['--hash-seed=1', '--predictable', '--no-flush-bytecode'];
const DEFAULT_FLAGS = ['--hash-seed=0', '--no-predictable', '--flush-bytecode'];
/** They load what most commands need, and wait for nothing: what is compiled does not depend on the time. */
const CACHED_COMMAND_LINES = [['version'], ['--help'], ['wrap', '--help'], ['info', '/nonexistent/absent']];

/**
 * Builds the single executable of a platform: its Node.js with the program in it, and with code compiled beforehand if it is for the platform
 * of this machine.
 */
export async function buildExecutable(
  platform: Platform,
  program: BundledProgram,
  nodeBinary: Buffer,
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-package-'));
  try {
    await mkdir(join(folder, 'modules'));
    for (const [name, source] of program.modules) await writeFile(join(folder, 'modules', name), source, 'latin1');
    if (isHost(platform)) await makeCodeCache(folder);
    const assets = await writeAssets(folder);
    await writeFile(join(folder, NODE), nodeBinary, { mode: 0o755 });
    await copyFile(join(LOADERS, MAIN), join(folder, MAIN));
    await writeFile(join(folder, CONFIGURATION), JSON.stringify(describeExecutable(assets)));
    // With a path from the folder: it gets into the executable.
    await runNode(['--build-sea', CONFIGURATION], folder);
    await signExecutable(platform, join(folder, OUTPUT));
    if (isHost(platform)) await checkExecutable(join(folder, OUTPUT));
    return await readFile(join(folder, OUTPUT));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** https://nodejs.org/api/single-executable-applications.html */
function describeExecutable(assets: Readonly<Record<string, string>>): object {
  return {
    main: MAIN,
    executable: NODE,
    output: OUTPUT,
    disableExperimentalSEAWarning: true,
    execArgv: NODE_FLAGS,
    // What the user sets for other programs in NODE_OPTIONS is not for this one.
    execArgvExtension: 'none',
    assets,
  };
}

async function makeCodeCache(folder: string): Promise<void> {
  await runNode(
    [
      ...NODE_FLAGS,
      ...DETERMINISM_FLAGS,
      join(LOADERS, 'make-code-cache.cjs'),
      'modules',
      JSON.stringify(CACHED_COMMAND_LINES),
      JSON.stringify(DEFAULT_FLAGS),
    ],
    folder,
  );
}

/** Adds its checksum to each asset. Returns their files by their names, always in the same order. */
async function writeAssets(folder: string): Promise<Record<string, string>> {
  const assets: Record<string, string> = {};
  await mkdir(join(folder, 'assets'));
  for (const name of (await readdir(join(folder, 'modules'))).sort()) {
    const content = await readFile(join(folder, 'modules', name));
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(crc32(content));
    assets[name] = `assets/${name}`;
    await writeFile(join(folder, 'assets', name), Buffer.concat([content, checksum]));
  }
  return assets;
}

async function checkExecutable(path: string): Promise<void> {
  const { code, output } = await runCommand(path, ['version'], { isCaptured: true });
  if (code !== 0) throw new Error(`the executable does not run:\n${output.trimEnd()}`);
}

/** With an empty environment: what the program finds there would change what is compiled. */
async function runNode(args: readonly string[], cwd: string): Promise<void> {
  const { code, output } = await runCommand(process.execPath, args, { cwd, env: {}, isCaptured: true });
  if (code !== 0) throw new Error(`Node.js cannot build the executable:\n${output.trimEnd()}`);
}
