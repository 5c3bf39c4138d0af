import type { Reporter } from '../workflows/ports.ts';
import { chooseReporter, type ReporterChoice } from './choose-reporter.ts';
import { LinesReporter } from './lines-reporter.ts';
import { SilentReporter } from './silent-reporter.ts';

/** The reporter for a choice, writing to `stderr`. The live one is loaded only where it is used. */
export async function createReporter(choice: ReporterChoice, stderr: NodeJS.WriteStream): Promise<Reporter> {
  const write = (text: string): void => {
    stderr.write(text);
  };
  switch (chooseReporter(choice)) {
    case 'silent':
      return new SilentReporter({ write, showsWarnings: choice.logLevel === 'warn' });
    case 'lines':
      return new LinesReporter({ write, isDebug: choice.logLevel === 'debug' });
    case 'live': {
      const { LiveReporter } = await import('./live-reporter.ts');
      return new LiveReporter(stderr);
    }
  }
}
