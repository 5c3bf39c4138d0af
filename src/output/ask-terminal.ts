import { confirm, input, password } from '@inquirer/prompts';
import { ListrInquirerPromptAdapter } from '@listr2/prompt-adapter-inquirer';
import { Listr } from 'listr2';
import { DtError } from '../domain/errors.ts';
import { SYMBOLS, toSafeText } from './line-format.ts';

/** Where a person sits. */
export interface QuestionTerminal {
  readonly stdin: NodeJS.ReadableStream;
  /** Standard error, so that results stay clean. */
  readonly stderr: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** What a prompt of inquirer is given beside its question. */
interface PromptContext {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

const THEME = { prefix: { idle: ` ${SYMBOLS.question} `, done: ` ${SYMBOLS.done} ` } };
/** The errors of a prompt that Ctrl-C or an aborted signal has ended. */
const INTERRUPTIONS: readonly string[] = ['ExitPromptError', 'AbortPromptError'];

/** Asks for a yes; enter alone and the end of the input are a no. Throws DT_INTERRUPTED. */
export async function confirmAtTerminal(question: string, terminal: QuestionTerminal): Promise<boolean> {
  const config = { message: toSafeText(question), default: false, theme: THEME };
  return (await ask(terminal, async (adapter, context) => adapter.run(confirm, config, context))) ?? false;
}

/** Asks for one line, of which nothing is shown if it is a secret. Throws DT_INTERRUPTED, DT_USAGE for the end of the input. */
export async function askTerminal(
  question: string,
  { isSecret }: { readonly isSecret: boolean },
  terminal: QuestionTerminal,
): Promise<string> {
  const config = { message: `${toSafeText(question)}:`, theme: THEME };
  const answer = await ask(terminal, async (adapter, context) =>
    isSecret ? adapter.run(password, { ...config, toggleMask: false }, context) : adapter.run(input, config, context),
  );
  if (answer === undefined) throw new DtError('DT_USAGE', `no answer to "${question}"`);
  return answer;
}

/** Undefined for the end of the input. */
async function ask<T>(
  { stdin, stderr, signal }: QuestionTerminal,
  run: (adapter: ListrInquirerPromptAdapter, context: PromptContext) => Promise<T>,
): Promise<T | undefined> {
  // At the end of its input readline pauses it, and the prompt would wait for ever.
  const end = new AbortController();
  const endQuestion = (): void => {
    end.abort();
  };
  const context = { input: stdin, output: stderr, signal: AbortSignal.any([signal, end.signal]) };
  const answer: { value?: T } = {};
  const list = new Listr(
    [
      {
        task: async (_context, task) => {
          answer.value = await run(task.prompt(ListrInquirerPromptAdapter), context);
        },
      },
    ],
    { renderer: 'silent', registerSignalListeners: false },
  );
  stdin.once('pause', endQuestion);
  try {
    await list.run();
    return answer.value;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (!INTERRUPTIONS.includes(name)) throw error;
    if (name === 'AbortPromptError' && !signal.aborted) return undefined;
    throw new DtError('DT_INTERRUPTED', 'interrupted', { cause: error });
  } finally {
    stdin.removeListener('pause', endQuestion);
  }
}
