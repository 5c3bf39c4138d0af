import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { DtError } from '../domain/errors.ts';
import { formatLine, SYMBOLS } from './line-format.ts';

export interface TerminalQuestion {
  readonly question: string;
  /** Show nothing of what is typed. */
  readonly isSecret: boolean;
  readonly stdin: NodeJS.ReadableStream;
  /** Standard error, so that results stay clean. */
  readonly stderr: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** Asks for one line at a terminal. Throws DT_INTERRUPTED for Ctrl-C, DT_USAGE for the end of the input. */
export async function askTerminal({ question, isSecret, stdin, stderr, signal }: TerminalQuestion): Promise<string> {
  // readline echoes what is typed; where that is a secret it goes nowhere.
  const output = isSecret
    ? new Writable({
        write: (_chunk, _encoding, done) => {
          done();
        },
      })
    : stderr;
  const reader = createInterface({ input: stdin, output, terminal: true, prompt: '', historySize: 0 });
  // Asked when the terminal has stopped to echo: an answer may come at once.
  stderr.write(`${formatLine(0, SYMBOLS.question, question)}: `);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const interrupt = (): void => {
    reject(new DtError('DT_INTERRUPTED', 'interrupted'));
  };
  reader.once('line', resolve);
  // In its raw mode a terminal sends no signal.
  reader.once('SIGINT', interrupt);
  reader.once('close', () => {
    reject(new DtError('DT_USAGE', `no answer to "${question}"`));
  });
  signal.addEventListener('abort', interrupt);
  if (signal.aborted) interrupt();
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', interrupt);
    reader.close();
    if (isSecret) stderr.write('\n');
  }
}
