/** How much is told while a command works, from the most to the least. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type ReporterKind = 'live' | 'lines' | 'silent';

export interface ReporterChoice {
  /** True when standard error is a terminal that moves its cursor. */
  readonly isTerminal: boolean;
  readonly isCi: boolean;
  readonly isPlain: boolean;
  readonly isJson: boolean;
  readonly logLevel: LogLevel;
}

const LOG_LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ['trace', 'debug'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['warning', 'warn'],
  ['error', 'error'],
  ['fatal', 'error'],
  ['panic', 'error'],
]);

/** The level of a name that the Go tool knows, or undefined for any other text. */
export function parseLogLevel(text: string): LogLevel | undefined {
  return LOG_LEVELS.get(text.toLowerCase());
}

/** Silent above level `info`; live only where a person watches and nothing else reads along; else lines. */
export function chooseReporter(choice: ReporterChoice): ReporterKind {
  if (choice.logLevel === 'warn' || choice.logLevel === 'error') return 'silent';
  if (!choice.isTerminal || choice.isCi || choice.isPlain || choice.isJson || choice.logLevel === 'debug')
    return 'lines';
  return 'live';
}
