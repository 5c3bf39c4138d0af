import type { Progress, Reporter } from '../workflows/ports.ts';
import { toSafeText } from './line-format.ts';

/** Passes everything on to another reporter and keeps the warnings, for the JSON document of a command. */
export class WarningCollector implements Reporter {
  readonly #target: Reporter;
  readonly #warnings: string[] = [];

  constructor(target: Reporter) {
    this.#target = target;
  }

  /** The warnings so far, in the order in which they came. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  async section<T>(title: string, run: () => Promise<T>): Promise<T> {
    return this.#target.section(title, run);
  }

  async step<T>(title: string, run: (progress: Progress) => Promise<T>, done?: (result: T) => string): Promise<T> {
    return this.#target.step(title, run, done);
  }

  info(message: string): void {
    this.#target.info(message);
  }

  warn(message: string): void {
    this.#warnings.push(toSafeText(message));
    this.#target.warn(message);
  }

  debug(message: string): void {
    this.#target.debug(message);
  }
}
