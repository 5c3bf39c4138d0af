import type { TestContext } from 'node:test';
import { SilentReporter } from '../../src/output/silent-reporter.ts';
import type { RunContext } from '../../src/workflows/context.ts';
import { createRunContext } from '../../src/workflows/create-context.ts';
import { requireTool, type ToolName } from './tools.ts';

/** Both versions of Helm that users have. */
export const HELM_TOOLS = ['helm3', 'helm4'] as const satisfies readonly ToolName[];

/** A context whose `HELM_BIN` is this program, and whose environment holds what is given beside it. */
export async function createHelmContext(
  helmPath: string,
  variables: Readonly<Record<string, string>> = {},
  signal = new AbortController().signal,
): Promise<RunContext> {
  return createRunContext({
    reporter: new SilentReporter({ write: () => undefined, showsWarnings: false }),
    prompter: { confirm: async () => false },
    signal,
    environment: { ...variables, HELM_BIN: helmPath },
    insecure: [],
    usePlainHttp: [],
    caFiles: [],
  });
}

/** The same with a tool of the repository. Without it the test is skipped. */
export async function requireHelmContext(t: TestContext, tool: ToolName): Promise<RunContext | undefined> {
  const path = requireTool(t, tool);
  return path === undefined ? undefined : createHelmContext(path);
}

/** Runs a test with a tool of the repository. Without it the test is skipped. */
export async function withHelm(
  t: TestContext,
  tool: ToolName,
  run: (context: RunContext, helmPath: string) => Promise<void>,
): Promise<void> {
  const path = requireTool(t, tool);
  if (path !== undefined) await run(await createHelmContext(path), path);
}
