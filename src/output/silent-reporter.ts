import type { Progress, Reporter } from '../workflows/ports.ts';
import { formatLine, SYMBOLS } from './line-format.ts';

export interface SilentReporterOptions {
  readonly write: (line: string) => void;
  /** Whether warnings still show. */
  readonly showsWarnings: boolean;
}

const NO_PROGRESS: Progress = {
  setTotalBytes: () => undefined,
  addBytes: () => undefined,
  skipBytes: () => undefined,
  addPart: () => NO_PROGRESS,
  setStatus: () => undefined,
};

/** Tells nothing while work goes on, but warnings where they are wanted. */
export class SilentReporter implements Reporter {
  readonly #options: SilentReporterOptions;

  constructor(options: SilentReporterOptions) {
    this.#options = options;
  }

  async section<T>(_title: string, run: () => Promise<T>): Promise<T> {
    return run();
  }

  async step<T>(_title: string, run: (progress: Progress) => Promise<T>): Promise<T> {
    return run(NO_PROGRESS);
  }

  info(): void {
    // Nothing of level info shows here.
  }

  warn(message: string): void {
    if (this.#options.showsWarnings) this.#options.write(`${formatLine(0, SYMBOLS.warning, `Warning: ${message}`)}\n`);
  }

  debug(): void {
    // Nothing of level debug shows here.
  }
}
