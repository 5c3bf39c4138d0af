import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { identifyThisProcess, isRunning } from '../processes/running-process.ts';

/** What `makeRenderFolder` calls them: the process, its start, where its number counts, and what makes it unique. */
const RENDER_FOLDER = /^dt-render-(\d{1,10})-(\d*)-([\da-f]{8})-[A-Za-z\d]{6}$/;
/** One run has something else to do than to look at more. */
const MAX_CANDIDATES = 64;

/** Makes a temporary folder whose name tells later runs which process it belongs to. Throws system errors. */
export async function makeRenderFolder(): Promise<string> {
  const [{ pid, startedAt }, scope] = await Promise.all([identifyThisProcess(), readScope()]);
  return mkdtemp(join(tmpdir(), `dt-render-${String(pid)}-${startedAt}-${scope}-`));
}

/** Removes folders of this user that `makeRenderFolder` made in processes that were killed. Never throws. */
export async function removeLeftRenderFolders(): Promise<void> {
  const [names, scope] = await Promise.all([readdir(tmpdir()).catch(() => []), readScope()]);
  for (const name of names.filter((other) => RENDER_FOLDER.test(other)).slice(0, MAX_CANDIDATES)) {
    try {
      if (await isLeft(name, scope)) await rm(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // It is in nobody's way.
    }
  }
}

async function isLeft(name: string, scope: string): Promise<boolean> {
  const [, pid, startedAt = '', itsScope] = RENDER_FOLDER.exec(name) ?? [];
  if (pid === undefined || itsScope !== scope || (await isRunning({ pid: Number(pid), startedAt }))) return false;
  const stats = await lstat(join(tmpdir(), name));
  return stats.isDirectory() && (process.geteuid === undefined || stats.uid === process.geteuid());
}

/** Another machine or container that shares the folder has other processes with the same numbers. */
async function readScope(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return createHash('sha256').update(`${hostname()}\n${namespace}`).digest('hex').slice(0, 8);
}
