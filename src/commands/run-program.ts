import { defaultHints } from '../domain/default-hints.ts';
import { copyError } from '../domain/error-rules.ts';
import { EXIT_CODES, type DtError, type ExitCode } from '../domain/errors.ts';
import { PRODUCT_VERSION } from '../domain/product.ts';
import { renderErrorDocument, renderErrorText } from '../output/render-error.ts';
import { formatJson } from '../output/sanitize-text.ts';
import { toDtError } from '../output/to-dt-error.ts';
import { mapOclifError } from './map-oclif-error.ts';
import { type Invocation, normalizeArgv } from './normalize-argv.ts';
import { listCommandSpecs, listGlobalFlagSpecs, loadOclifConfig } from './oclif-config.ts';
import type { ProgramContext } from './program-context.ts';

/** What scripts of shells put in front of a command line that is to be completed; no command, for what follows is not whole. */
const COMPLETE_WORD = '__complete';

/** Runs one command line and tells its exit code. Never throws: every error is rendered here. */
export async function runProgram(argv: readonly string[], context: ProgramContext): Promise<ExitCode> {
  try {
    if (argv[0] === COMPLETE_WORD) {
      const { completeLine } = await import('./completing/complete-line.ts');
      await completeLine(argv.slice(1), context);
      return EXIT_CODES.ok;
    }
    await runInvocation(normalizeArgv(argv, listCommandSpecs(), listGlobalFlagSpecs()), context);
    return EXIT_CODES.ok;
  } catch (error) {
    return reportError(error, argv, context);
  }
}

async function runInvocation(invocation: Invocation, context: ProgramContext): Promise<void> {
  const config = await loadOclifConfig(context);
  if (invocation.kind === 'help') {
    const { showHelp } = await import('./show-help.ts');
    await showHelp(config, invocation.id?.replaceAll(' ', ':'));
    return;
  }
  try {
    await config.runCommand(invocation.id.replaceAll(' ', ':'), [...invocation.argv]);
  } catch (error) {
    const { id } = invocation;
    throw mapOclifError(error, listCommandSpecs().find((command) => command.id === id) ?? { id, flags: [] });
  }
}

function reportError(thrown: unknown, argv: readonly string[], context: ProgramContext): ExitCode {
  const error = withDefaultHints(toDtError(thrown, context.signal.aborted));
  const options = {
    bin: context.environment.bin,
    version: PRODUCT_VERSION,
    isDebug: context.environment.isHelmDebug || asksForDebug(argv),
  };
  context.stderr.write(renderErrorText(error, options));
  // The arguments may be what is wrong, so `--json` is looked for in the raw ones.
  if (argv.includes('--json') || argv.includes('--json=true')) {
    context.stdout.write(`${formatJson(renderErrorDocument(error, options))}\n`);
  }
  return error.exitCode;
}

function withDefaultHints(error: DtError): DtError {
  return error.hints.length > 0 ? error : copyError(error, { hints: defaultHints(error.code) });
}

function asksForDebug(argv: readonly string[]): boolean {
  const level = argv[argv.indexOf('--log-level') + 1];
  return (
    argv.includes('--debug') ||
    argv.some((token) => /^--log-level=(?:debug|trace)$/.test(token)) ||
    (argv.includes('--log-level') && (level === 'debug' || level === 'trace'))
  );
}
