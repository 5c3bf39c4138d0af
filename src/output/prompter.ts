import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Prompter } from '../workflows/ports.ts';
import { formatLine, SYMBOLS } from './line-format.ts';

export interface LinePrompterOptions {
  /** Called at the first question: a program that asks nothing leaves standard input alone. */
  readonly openInput: () => Readable;
  /** Takes the question; standard error, so that results stay clean. */
  readonly write: (text: string) => void;
}

const YES: readonly string[] = ['y', 'yes'];

/** Reads one line per question from a stream, terminal or not. Anything but `y` or `yes`, and the end, is a no. */
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
      this.#reader = createInterface({ input, terminal: false });
    }
    this.#lines ??= this.#reader[Symbol.asyncIterator]();
    const answer = await this.#lines.next();
    const isEnd = answer.done === true;
    if (isEnd || !this.#isEchoed) this.#options.write('\n');
    return !isEnd && YES.includes(answer.value.trim().toLowerCase());
  }

  /** Lets go of the stream. */
  close(): void {
    this.#reader?.close();
  }
}
