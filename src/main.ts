import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { EXIT_CODES, systemErrorCode } from './domain/errors.ts';
import { disableOclifTheme, readEnvironment } from './environment.ts';

/** How long an interrupted command may tidy up. */
const INTERRUPT_GRACE_MS = 1500;
/** Signals within this time are one. */
const REPEATED_SIGNAL_MS = 200;

/** True in a package, whose code is compiled already, or whose folder is nothing to write to: its build puts it here. */
declare const IS_PACKAGE: boolean | undefined;

const interruption = new AbortController();
let exitCode: number = EXIT_CODES.ok;

/**
 * A reader that stops early (`| head -1`) ends the program quietly; a result that is lost otherwise is a failure. It ends at once:
 * behind this listener oclif has one that throws.
 */
function endWithoutOutput(error: Error): void {
  if (exitCode === EXIT_CODES.ok && systemErrorCode(error) !== 'EPIPE') {
    process.stderr.write(`Error: cannot write to standard output: ${error.message}\nCode: DT_OUTPUT_FAILED\n`);
    exitCode = EXIT_CODES.other;
  }
  process.exit(exitCode);
}

process.stdout.on('error', endWithoutOutput);
// A log that cannot be written does not matter.
process.stderr.on('error', () => undefined);

let interruptedAtMs: number | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Some programs signal their child and its group: that is one interruption and not two.
    const isRepeated = interruptedAtMs !== undefined && performance.now() - interruptedAtMs > REPEATED_SIGNAL_MS;
    if (isRepeated) process.exit(EXIT_CODES.interrupted);
    if (interruptedAtMs !== undefined) return;
    interruptedAtMs = performance.now();
    interruption.abort();
    setTimeout(() => process.exit(EXIT_CODES.interrupted), INTERRUPT_GRACE_MS).unref();
  });
}

// Nothing is left that could end the work, and it has not ended.
process.once('beforeExit', () => {
  process.stderr.write('Error: the work stopped without an end; this is a bug\nCode: DT_BUG\n');
  process.exitCode = EXIT_CODES.other;
});

// Beside the code and as trusted as the code: the build fills it, and where it cannot be used nothing is lost. It must be
// on before the program is loaded, so nothing that is large may be imported at the top of this file.
if (typeof IS_PACKAGE === 'undefined') enableCompileCache(join(import.meta.dirname, 'compile-cache'));
void run();

async function run(): Promise<void> {
  disableOclifTheme();
  const { runProgram } = await import('./commands/run-program.ts');
  exitCode = await runProgram(process.argv.slice(2), {
    environment: readEnvironment(),
    signal: interruption.signal,
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
  });
  // An open keep-alive connection or an unread standard input must not hold the process; what was written must leave it.
  process.stdout.write('', (error) => {
    // Told here and not by an event when standard output is a file.
    if (error instanceof Error) endWithoutOutput(error);
    else process.stderr.write('', () => process.exit(exitCode));
  });
}
