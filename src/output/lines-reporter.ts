import { AsyncLocalStorage } from 'node:async_hooks';
import type { Progress, Reporter } from '../workflows/ports.ts';
import { formatBytes } from '../domain/format-quantity.ts';
import { formatLine, SYMBOLS, toSafeText } from './line-format.ts';
import { ProgressMeter, type PartState } from './progress-meter.ts';

/** A log must not fall silent for longer than this while work goes on. */
const HEARTBEAT_MS = 10_000;

export interface LinesReporterOptions {
  /** Takes one line with its line end. */
  readonly write: (line: string) => void;
  /** Shows debug messages and puts the time in front of every line. */
  readonly isDebug: boolean;
  /** Time between two progress lines of a step; tests shorten it. */
  readonly heartbeatMs?: number;
}

/** One line per event, for logs and pipes: no escape sequences, nothing is ever overwritten. */
export class LinesReporter implements Reporter {
  readonly #options: LinesReporterOptions;
  /** How deep the running code is nested; follows the calls, so that sections may run side by side. */
  readonly #level = new AsyncLocalStorage<number>();

  constructor(options: LinesReporterOptions) {
    this.#options = options;
  }

  async section<T>(title: string, run: () => Promise<T>): Promise<T> {
    const level = this.#currentLevel();
    this.#writeLine(level, SYMBOLS.section, title);
    return this.#level.run(level + 1, run);
  }

  async step<T>(title: string, run: (progress: Progress) => Promise<T>, done?: (result: T) => string): Promise<T> {
    const level = this.#currentLevel();
    const meter = new ProgressMeter({
      now: () => performance.now(),
      onPartEnd: (part) => {
        // Its bytes are there; whether it is right shows at the end of the step.
        this.#writeLine(level + 1, ' ', describePart(part));
      },
    });
    const heartbeat = setInterval(() => {
      const text = meter.describe();
      this.#writeLine(level, SYMBOLS.running, text === '' ? title : `${title}: ${text}`);
    }, this.#options.heartbeatMs ?? HEARTBEAT_MS);
    try {
      const result = await this.#level.run(level + 1, () => run(meter));
      this.#writeLine(level, SYMBOLS.done, done?.(result) ?? title);
      return result;
    } catch (error) {
      this.#writeLine(level, SYMBOLS.failed, title);
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
  }

  info(message: string): void {
    this.#writeLine(this.#currentLevel(), ' ', message);
  }

  warn(message: string): void {
    this.#writeLine(this.#currentLevel(), SYMBOLS.warning, `Warning: ${message}`);
  }

  debug(message: string): void {
    if (this.#options.isDebug) this.#write(`debug: ${toSafeText(message)}`);
  }

  #currentLevel(): number {
    return this.#level.getStore() ?? 0;
  }

  #writeLine(level: number, symbol: string, text: string): void {
    this.#write(formatLine(level, symbol, text));
  }

  #write(line: string): void {
    const stamp = this.#options.isDebug ? `${new Date().toISOString()} ` : '';
    this.#options.write(`${stamp}${line}\n`);
  }
}

function describePart({ title, totalBytes, sentBytes }: PartState): string {
  return `${title}, ${formatBytes(totalBytes)}${sentBytes === 0 ? ', already there' : ''}`;
}
