import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createSandbox, type Sandbox } from './sandbox.ts';

export const GOLDEN_ROOT = join(import.meta.dirname, '../../../shared/formats/golden');

/** The ports that the recorded bytes name. */
export const GOLDEN_PORTS = { source: 5101, target: 5102, authenticated: 5103 } as const;

export interface GoldenStep {
  /** Absent where the recorder did something itself. */
  readonly argv?: readonly string[];
  readonly stdin?: string;
  readonly exit: number | 'timeout';
  readonly stdout: string;
  readonly stderr: string;
}

export interface GoldenCase {
  /** `AREA/CASE`. */
  readonly path: string;
  readonly folder: string;
  readonly note?: string;
  readonly steps: readonly GoldenStep[];
  readonly inputModes?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, { readonly type: string }>>;
  readonly defect?: { readonly wrong: string; readonly wanted: string };
}

/** The cases of an area, `AREA/CASE`, sorted. */
export function listGoldenCases(area: string): string[] {
  return readdirSync(join(GOLDEN_ROOT, area))
    .sort()
    .map((name) => `${area}/${name}`);
}

export function loadGoldenCase(path: string): GoldenCase {
  const folder = join(GOLDEN_ROOT, path);
  const recorded = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Omit<GoldenCase, 'path' | 'folder'>;
  return { ...recorded, path, folder };
}

/** A sandbox with the input of the case in its working directory. */
export async function openGoldenCase(t: Pick<TestContext, 'after'>, goldenCase: GoldenCase): Promise<Sandbox> {
  const sandbox = await createSandbox(t);
  const input = join(goldenCase.folder, 'input');
  if (readdirSync(goldenCase.folder).includes('input')) {
    await cp(input, sandbox.work, { recursive: true, verbatimSymlinks: true });
    await restoreModes(sandbox.work);
  }
  for (const [name, mode] of Object.entries(goldenCase.inputModes ?? {})) {
    const path = join(sandbox.work, name);
    if (!existsSync(path)) await mkdir(path, { recursive: true });
    await chmod(path, Number(mode));
  }
  return sandbox;
}

/** The arguments of a step, without the name of the tool, with real addresses. */
export function goldenArguments(step: GoldenStep, sandbox: Sandbox): string[] {
  const host = (port: number): string => `127.0.0.1:${String(port)}`;
  return (step.argv ?? [])
    .slice(1)
    .map((argument) =>
      argument
        .replaceAll('{REGISTRY}', host(GOLDEN_PORTS.source))
        .replaceAll('{TARGET}', host(GOLDEN_PORTS.target))
        .replaceAll('{AUTHREG}', host(GOLDEN_PORTS.authenticated))
        .replaceAll('{WORK}', sandbox.work),
    );
}

/** Where a file is that a case is recorded to have written; a colon in its name is stored as `%3A`. */
export function recordedOutput({ folder }: GoldenCase, name: string): string {
  return join(folder, 'output', name.replaceAll(':', '%3A'));
}

/** The text of a lock without the time when it was made. */
export function withoutGenerationTime(lockText: string): string {
  return lockText.replace(/^( *(?:- )?generatedAt: ).*$/m, '$1TIME');
}

/** The data may lie on a read-only checkout; it was recorded with the usual modes. */
async function restoreModes(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const isExecutable = entry.isDirectory() || ((await stat(path)).mode & 0o100) !== 0;
    await chmod(path, isExecutable ? 0o755 : 0o644);
  }
}
