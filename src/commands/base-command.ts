import type { Interfaces } from '@oclif/core';
import { Command } from '@oclif/core/command';
import { type LogLevel, parseLogLevel } from '../output/choose-reporter.ts';
import { createReporter } from '../output/create-reporter.ts';
import { SYMBOLS, toSafeText } from '../output/line-format.ts';
import { TerminalPrompter } from '../output/prompter.ts';
import { formatJson } from '../output/sanitize-text.ts';
import { WarningCollector } from '../output/warning-collector.ts';
import type { RunContext } from '../workflows/context.ts';
import type { ContextOptions } from '../workflows/create-context.ts';
import type { Prompter, Reporter } from '../workflows/ports.ts';
import type { CredentialInput } from './credential-flags.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import type { ProgramContext, ProgramLoadOptions } from './program-context.ts';

/** A terminal that is narrower, or does not know its width, cannot show a tree. */
const MIN_LIVE_COLUMNS = 20;

type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<typeof GLOBAL_FLAGS & T['flags']>;
type ArgsOf<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

/**
 * The frame of every command. A command states summary, args, flags and examples, and in `execute` calls one workflow,
 * prints with `printResult` and `printSuccess`, and returns the same facts for `--json`. It throws its errors: they are
 * rendered in one place, `run-program.ts`.
 */
export abstract class BaseCommand<T extends typeof Command> extends Command {
  static override baseFlags = GLOBAL_FLAGS;

  protected flags!: FlagsOf<T>;
  protected args!: ArgsOf<T>;
  protected reporter!: Reporter;
  protected prompter!: Prompter;
  #warnings!: WarningCollector;

  /** Does the work and returns the document that `--json` prints, without warnings. */
  protected abstract execute(): Promise<object>;

  override async run(): Promise<void> {
    await this.#prepare();
    const document = await this.execute();
    if (!this.isJson) return;
    const { warnings } = this.#warnings;
    this.#write(formatJson(warnings.length === 0 ? document : { ...document, warnings }));
  }

  /** Keeps oclif from rendering errors itself. */
  protected override catch(error: Error): Promise<never> {
    return Promise.reject(error);
  }

  /** What the process gives: environment, streams. */
  protected get context(): ProgramContext {
    return (this.config.options as ProgramLoadOptions).programContext;
  }

  /** Aborts when the user interrupts; to be handed to every workflow. */
  protected get signal(): AbortSignal {
    return this.context.signal;
  }

  /** What the workflows need, as the global flags say and `overrides` say otherwise, and credentials for one registry. Loads the HTTP client. */
  protected async createRunContext(
    credential?: ContextOptions['credential'],
    overrides: Partial<ContextOptions> = {},
  ): Promise<RunContext> {
    const { createRunContext } = await import('../workflows/create-context.ts');
    const flags = this.#globalFlags;
    return createRunContext({
      reporter: this.reporter,
      prompter: this.prompter,
      signal: this.signal,
      environment: this.context.environment.variables,
      insecure: flags.insecure || (flags['insecure-host'] ?? []),
      usePlainHttp: flags['use-plain-http'] || (flags['plain-http-host'] ?? []),
      caFiles: flags['ca-file'] ?? [],
      concurrency: flags.concurrency,
      retries: flags.retries,
      idleTimeoutMs: flags['idle-timeout'] === undefined ? undefined : flags['idle-timeout'] * 1000,
      registryConfigPath: flags['registry-config'],
      credential,
      ...overrides,
    });
  }

  /** Where a password may be read from. */
  protected get credentialInput(): CredentialInput {
    const { context, reporter } = this;
    return {
      get stdin() {
        return context.stdin;
      },
      warn: (message) => {
        reporter.warn(message);
      },
    };
  }

  protected get isJson(): boolean {
    return this.#globalFlags.json;
  }

  /** Prints a result on standard output; nothing with `--json`. */
  protected printResult(text: string): void {
    if (!this.isJson) this.#write(text);
  }

  /** Prints the last line of a command that did its work, but for `--quiet`. */
  protected printSuccess(message: string): void {
    if (!this.#globalFlags.quiet) this.printResult(` ${SYMBOLS.success}  ${toSafeText(message)}`);
  }

  get #globalFlags(): Interfaces.InferredFlags<typeof GLOBAL_FLAGS> {
    return this.flags;
  }

  async #prepare(): Promise<void> {
    const { args, flags } = await this.parse({
      args: keepStandardInput(this.ctor.args),
      flags: this.ctor.flags,
      baseFlags: GLOBAL_FLAGS,
      strict: this.ctor.strict,
    });
    this.args = args as ArgsOf<T>;
    this.flags = flags as FlagsOf<T>;
    const { environment, stderr } = this.context;
    const logLevel = this.#logLevel();
    const choice = {
      isTerminal: stderr.isTTY && stderr.columns >= MIN_LIVE_COLUMNS && environment.terminal !== 'dumb',
      isCi: environment.isCi,
      isPlain: this.#globalFlags.plain,
      isJson: this.isJson,
      logLevel: this.#globalFlags.quiet && logLevel !== 'error' ? ('warn' as const) : (logLevel ?? 'info'),
    };
    this.#warnings = new WarningCollector(await createReporter(choice, stderr));
    this.reporter = this.#warnings;
    this.prompter = new TerminalPrompter({
      openInput: () => this.context.stdin,
      stderr,
      canRedraw: choice.isTerminal,
      signal: this.signal,
    });
    if (logLevel === undefined) {
      this.reporter.warn(`unknown log level "${this.#globalFlags['log-level']}", using info`);
    }
  }

  #logLevel(): LogLevel | undefined {
    if (this.#globalFlags.debug || this.context.environment.isHelmDebug) return 'debug';
    return parseLogLevel(this.#globalFlags['log-level']);
  }

  #write(text: string): void {
    this.context.stdout.write(`${text}\n`);
  }
}

/** oclif fills a missing argument from standard input, where the answers to questions come from. */
function keepStandardInput(args: Interfaces.ArgInput): Interfaces.ArgInput {
  return Object.fromEntries(Object.entries(args).map(([name, arg]) => [name, { ...arg, ignoreStdin: true }]));
}
