import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { skipLoudly } from './skip-loudly.ts';

export type ToolName =
  | 'cosign'
  | 'crane'
  | 'fish'
  | 'gpg'
  | 'helm3'
  | 'helm4'
  | 'mandoc'
  | 'nginx'
  | 'regctl'
  | 'registry2'
  | 'registry3'
  | 'script'
  | 'skopeo'
  | 'tinyproxy'
  | 'zsh';

const BIN_DIR = join(import.meta.dirname, '..', '..', '.tools', 'bin');

/** Path of a tool that `scripts/tools.ts` brought, or of the program of that name on PATH; undefined when there is none. */
export function findTool(name: ToolName): string | undefined {
  const folders = [BIN_DIR, ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Path of a tool. Without it the test is skipped, and in CI it fails. */
export function requireTool(t: TestContext, name: ToolName): string | undefined {
  const path = findTool(name);
  if (path === undefined) skipLoudly(t, `tool ${name} is missing: run "npm run tools"`);
  return path;
}
