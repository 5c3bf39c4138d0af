import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { goldenArguments, loadGoldenCase, openGoldenCase, type GoldenCase } from '../support/golden.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../support/registries.ts';
import { DT_PATH, type RunCliOptions, type RunCliResult } from '../support/run-cli.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { GOLDEN_PORTS } from '../support/golden.ts';
import { EXIT_CODES } from './exit-codes.ts';

export interface ReplayContext {
  readonly t: TestContext;
  readonly goldenCase: GoldenCase;
  readonly sandbox: Sandbox;
}

export type Replay = (path: string, run: (context: ReplayContext) => Promise<void>) => void;

/** Registers one test per case and remembers which cases there are. */
export function createReplay(replayed: Set<string>): Replay {
  return (path, run) => {
    assert.ok(!replayed.has(path), `${path} is replayed twice`);
    replayed.add(path);
    test(path, async (t) => {
      const goldenCase = loadGoldenCase(path);
      await run({ t, goldenCase, sandbox: await openGoldenCase(t, goldenCase) });
    });
  };
}

/** How a case is replayed although we differ from the recording on purpose. */
export interface StepOptions {
  /** Steps in which we succeed where the peer fails, or the other way round. */
  readonly otherExit?: Readonly<Record<number, string>>;
  /** Laid over the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs the steps that a tool did. Exit 0 stays exit 0; exit 1 becomes the exact code of `EXIT_CODES`. No step may leave
 * anything in the temporary folder.
 */
export async function runSteps(
  { goldenCase, sandbox }: ReplayContext,
  options: StepOptions = {},
): Promise<RunCliResult[]> {
  const results: RunCliResult[] = [];
  for (const [index, step] of goldenCase.steps.entries()) {
    if (step.argv === undefined) continue;
    const args = goldenArguments(step, sandbox);
    const result = await runStep(sandbox, args, { stdin: step.stdin ?? '', env: options.env ?? {} });
    const differs = options.otherExit?.[index] !== undefined;
    const fails = differs ? step.exit === 0 : step.exit !== 0;
    const expected = fails ? EXIT_CODES[goldenCase.path]?.[index] : 0;
    assert.equal(
      result.code,
      expected,
      `step ${String(index)}: dt ${args.join(' ')}\n${result.stdout}${result.stderr}`,
    );
    assert.deepEqual(await sandbox.listTemporary(), [], `step ${String(index)} left temporary files`);
    results.push(result);
  }
  return results;
}

/** An empty registry at the place of the recorded target, for one test. */
export async function startTarget(t: TestContext): Promise<EmbeddedRegistry> {
  const registry = await startEmbeddedRegistry({ port: GOLDEN_PORTS.target });
  t.after(async () => registry.close());
  return registry;
}

/** Names of the files, not of folders, that a case is recorded to have written. */
export function recordedFiles({ outputs }: GoldenCase): string[] {
  return Object.entries(outputs ?? {})
    .filter(([, { type }]) => type === 'file')
    .map(([path]) => path);
}

/** `/dev/stdout` can be opened only when it is a pipe, and Node.js gives its children sockets. */
async function runStep(sandbox: Sandbox, args: readonly string[], options: RunCliOptions): Promise<RunCliResult> {
  if (!args.includes('/dev/stdout')) return sandbox.run(args, options);
  return sandbox.run(['-c', '"$@" | cat', 'sh', DT_PATH, ...args], { ...options, command: 'sh' });
}
