import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { REPOSITORY_ROOT, runCommand } from '../../scripts/lib/run-command.ts';
import { PRODUCT_VERSION } from '../../src/domain/product.ts';
import { skipLoudly } from './skip-loudly.ts';

/** The time of everything in the packages of the tests, so that they belong to no commit. */
export const BUILD_SECONDS = 1_700_000_000;
const SOURCES = [
  'src/**',
  'scripts/package.ts',
  'scripts/{lib,package}/**',
  'schemas/**',
  'package*.json',
  'plugin.*',
  'LICENSE',
];
const KEPT_FOLDER = join(REPOSITORY_ROOT, '.tools', 'packages');
const LOCK_POLL_MS = 500;
/** A build takes less than a minute on a quiet machine. */
const MAX_LOCK_MS = 300_000;
const MAX_AGE_MS = 2 * 3600 * 1000;

export interface BuiltPackages {
  /** The folder with the archives and their SHA256SUMS. */
  readonly folder: string;
  /** The SHA256SUMS of the same, built once more. */
  readonly again: string;
  /** The folders of the unpacked packages. */
  readonly executable: string;
  readonly universal: string;
}

/** The file name of a package; `isFlat` for the one that Helm 3 installs over http. */
export function packageName(platform: string, isFlat = false): string {
  return `dt-${PRODUCT_VERSION}-${platform}${isFlat ? '-helm3' : ''}.tgz`;
}

/** Real packages for this machine and the universal one, built once for the sources as they are. Elsewhere than on Linux x64 the test is skipped. */
export async function requirePackages(t: TestContext): Promise<BuiltPackages | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    skipLoudly(t, 'the packages that are tested are for Linux on x64');
    return undefined;
  }
  const root = join(KEPT_FOLDER, await digestSources());
  if (!(await exists(root))) await buildOnce(root);
  return {
    folder: join(root, 'first'),
    again: join(root, 'again'),
    executable: join(root, 'linux-x64', 'dt'),
    universal: join(root, 'universal', 'dt'),
  };
}

async function digestSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of globSync(SOURCES, { cwd: REPOSITORY_ROOT }).sort()) {
    const path = join(REPOSITORY_ROOT, name);
    if ((await stat(path)).isFile()) hash.update(`${name}\0`).update(await readFile(path));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Test files run at the same time: one builds, the others wait for it. */
async function buildOnce(root: string): Promise<void> {
  await mkdir(KEPT_FOLDER, { recursive: true });
  const lock = `${root}.lock`;
  const deadline = Date.now() + MAX_LOCK_MS;
  while (!(await takeLock(lock))) {
    if (Date.now() > deadline) throw new Error(`${lock} is held for too long: remove it if no test runs`);
    await delay(LOCK_POLL_MS);
  }
  try {
    if (!(await exists(root))) await build(root);
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (holder > 0 && !(await exists(`/proc/${String(holder)}`))) await rm(lock, { force: true });
    return false;
  }
}

async function build(root: string): Promise<void> {
  const next = `${root}.next`;
  await rm(next, { recursive: true, force: true });
  await removeOld();
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(BUILD_SECONDS) };
  const platforms = ['--platform', 'linux-x64', '--platform', 'universal'];
  // As a build before this one may have left it.
  await mkdir(join(next, 'first'), { recursive: true });
  await writeFile(join(next, 'first', `${packageName('universal')}.prov`), 'of other bytes');
  for (const out of ['first', 'again']) {
    const args = [join(REPOSITORY_ROOT, 'scripts', 'package.ts'), ...platforms, '--out', join(next, out)];
    await runOk(process.execPath, args, env);
  }
  // Their checksums say all.
  for (const name of globSync('*.tgz', { cwd: join(next, 'again') })) await rm(join(next, 'again', name));
  for (const platform of ['linux-x64', 'universal']) {
    await mkdir(join(next, platform));
    await runOk('tar', ['-xzf', join(next, 'first', packageName(platform)), '-C', join(next, platform)], env);
  }
  await rename(next, root);
}

async function runOk(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { code, output } = await runCommand(program, args, { isCaptured: true, env });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(code)}:\n${output}`);
}

/** Those of earlier sources; other checkouts may use the folder as well. */
async function removeOld(): Promise<void> {
  for (const name of await readdir(KEPT_FOLDER)) {
    const path = join(KEPT_FOLDER, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > MAX_AGE_MS) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
