import { createInterface, type Interface } from 'node:readline';
import { Readable } from 'node:stream';
import { DtError } from '../domain/errors.ts';
import type { Prompter } from '../workflows/ports.ts';
import { formatLine, SYMBOLS } from './line-format.ts';

export interface TerminalPrompterOptions {
  /** Called at the first question: a program that asks nothing leaves standard input alone. */
  readonly openInput: () => NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  /** False for a terminal that cannot move its cursor. */
  readonly canRedraw: boolean;
  readonly signal: AbortSignal;
}

/** Asks the person at the terminal; where there is none, the answer is read as a line. Throws DT_INTERRUPTED. */
export class TerminalPrompter implements Prompter {
  readonly #options: TerminalPrompterOptions;
  readonly #lines: LinePrompter;

  constructor(options: TerminalPrompterOptions) {
    const { openInput, stderr, signal } = options;
    this.#options = options;
    this.#lines = new LinePrompter({ openInput, write: (text) => stderr.write(text), signal });
  }

  async confirm(question: string): Promise<boolean> {
    const { openInput, stderr, canRedraw, signal } = this.#options;
    if (!canRedraw) return this.#lines.confirm(question);
    const stdin = openInput();
    if (!stdin.isTTY) return this.#lines.confirm(question);
    const { confirmAtTerminal } = await import('./ask-terminal.ts');
    return confirmAtTerminal(question, { stdin, stderr, signal });
  }
}

export interface LinePrompterOptions {
  /** Called at the first question: a program that asks nothing leaves standard input alone. */
  readonly openInput: () => Readable;
  /** Takes the question; standard error, so that results stay clean. */
  readonly write: (text: string) => void;
  /** Ends a question that waits for its answer. */
  readonly signal: AbortSignal;
}

const YES: readonly string[] = ['y', 'yes'];
/** Input without a line break in so many bytes is no answer of a person. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** Reads one line per question from a stream, terminal or not. Anything but `y` or `yes`, and the end, is a no; an interruption is DT_INTERRUPTED. */
export class LinePrompter implements Prompter {
  readonly #options: LinePrompterOptions;
  #reader: Interface | undefined;
  #lines: AsyncIterator<string> | undefined;
  /** A terminal shows what is typed, the line break included; a pipe shows nothing. */
  #isEchoed = false;

  constructor(options: LinePrompterOptions) {
    this.#options = options;
  }

  async confirm(question: string): Promise<boolean> {
    this.#options.write(`${formatLine(0, SYMBOLS.question, question)} [y/N] `);
    // One reader for all questions: it may have read further lines ahead.
    if (this.#reader === undefined) {
      const input = this.#options.openInput();
      this.#isEchoed = 'isTTY' in input && input.isTTY === true;
      this.#reader = createInterface({ input: Readable.from(endAtLongLine(input)), terminal: false });
    }
    this.#lines ??= this.#reader[Symbol.asyncIterator]();
    const answer = await this.#orInterruption(this.#lines.next());
    const isEnd = answer.done === true;
    if (isEnd || !this.#isEchoed) this.#options.write('\n');
    return !isEnd && YES.includes(answer.value.trim().toLowerCase());
  }

  /** Interrupted, the program must not wait for a line that may never come, nor take one for an answer. */
  async #orInterruption<T>(answer: Promise<T>): Promise<T> {
    const { signal, write } = this.#options;
    const { promise: interruption, reject } = Promise.withResolvers<never>();
    const interrupt = (): void => {
      reject(new DtError('DT_INTERRUPTED', 'interrupted'));
      write('\n');
      this.close();
    };
    if (signal.aborted) interrupt();
    else signal.addEventListener('abort', interrupt, { once: true });
    try {
      return await Promise.race([interruption, answer]);
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  }

  /** Lets go of the stream. */
  close(): void {
    this.#reader?.close();
  }
}

/** Ends where a line gets too long: readline would gather it until memory ends. */
async function* endAtLongLine(input: Readable): AsyncGenerator<Buffer> {
  let unreadBytes = 0;
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk);
    const lineEnd = bytes.lastIndexOf('\n');
    unreadBytes = lineEnd === -1 ? unreadBytes + bytes.length : bytes.length - lineEnd - 1;
    if (unreadBytes > MAX_UNREAD_BYTES) return;
    yield bytes;
  }
}
