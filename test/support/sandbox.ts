import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { runCli, type RunCliOptions, type RunCliResult } from './run-cli.ts';

/** Where a program finds settings and credentials of the developer, or writes its own. */
const CLEARED_VARIABLES = [
  'DOCKER_CONFIG',
  'HELM_CACHE_HOME',
  'HELM_CONFIG_HOME',
  'HELM_DATA_HOME',
  'HELM_PLUGINS',
  'HELM_REGISTRY_CONFIG',
  'HELM_REPOSITORY_CACHE',
  'HELM_REPOSITORY_CONFIG',
  'KUBECONFIG',
  'REGISTRY_AUTH_FILE',
  'SOURCE_DATE_EPOCH',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_RUNTIME_DIR',
] as const;

/** A home, a temporary folder and a working directory that one test has for itself. */
export interface Sandbox {
  /** The working directory. */
  readonly work: string;
  readonly home: string;
  /** Environment to lay over that of the test. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** With `--json` it also throws for a document that its schema does not describe. */
  run(args: readonly string[], options?: RunCliOptions): Promise<RunCliResult>;
  /** Runs the program and throws, with what it said, unless it ends with 0. Returns standard output. */
  runOk(args: readonly string[], options?: RunCliOptions): Promise<string>;
  /** What the program left in the temporary folder. */
  listTemporary(): Promise<string[]>;
}

/** Whatever a test looks for in a document, all of it is what its schema says. */
async function requireDocument(args: readonly string[], { code, stdout }: RunCliResult): Promise<void> {
  const { assertDocument, assertErrorDocument, findCommand } = await import('./json-schema.ts');
  if (code === 0) assertDocument(findCommand(args), stdout);
  // A program that a signal ended has said nothing.
  else if (code > 0) assertErrorDocument(stdout);
}

/** Makes a sandbox that goes away with the test. */
export async function createSandbox(t: Pick<TestContext, 'after'>): Promise<Sandbox> {
  const root = await mkdtemp(join(tmpdir(), 'dt-sandbox-'));
  t.after(async () => rm(root, { recursive: true, force: true, maxRetries: 3 }));
  const [work, home, temporary] = ['work', 'home', 'tmp'].map((name) => join(root, name)) as [string, string, string];
  for (const folder of [work, home, temporary]) await mkdir(folder);
  const env = {
    ...Object.fromEntries(CLEARED_VARIABLES.map((name) => [name, undefined])),
    HOME: home,
    TMPDIR: temporary,
  };
  const run = async (args: readonly string[], options: RunCliOptions = {}): Promise<RunCliResult> => {
    const result = await runCli(args, { cwd: work, ...options, env: { ...env, ...options.env } });
    if (options.command === undefined && args.includes('--json')) await requireDocument(args, result);
    return result;
  };
  return {
    work,
    home,
    env,
    run,
    runOk: async (args, options) => {
      const { code, stdout, stderr } = await run(args, options);
      if (code !== 0) {
        throw new Error(
          `${options?.command ?? 'dt'} ${args.join(' ')} ended with ${String(code)}:\n${stdout}${stderr}`,
        );
      }
      return stdout;
    },
    listTemporary: async () => readdir(temporary),
  };
}
