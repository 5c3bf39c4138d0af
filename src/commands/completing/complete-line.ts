import { setTimeout as sleep } from 'node:timers/promises';
import type { CompletionContext, ValueRequest } from '../../workflows/complete-value.ts';
import { ANY_FILE, NOTHING, toWords, type Completion } from '../../workflows/completing/completion.ts';
import { describeCommands, describeGlobalFlags } from '../describe-commands.ts';
import { GROUPS } from '../index.ts';
import type { ProgramContext } from '../program-context.ts';
import { formatCompletion } from './format-completion.ts';
import { readRequest, type CompletionRequest } from './read-request.ts';

/** Somebody waits with a finger on the key: a slow disk gives no suggestions. */
const DEADLINE_MS = 2000;

/**
 * Writes what the last word of a command line may become; the words in front of it are complete. Never throws: where
 * nothing is known, the shell offers files.
 */
export async function completeLine(argv: readonly string[], context: ProgramContext): Promise<void> {
  const { variables, bin } = context.environment;
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const program = { commands: describeCommands(), globalFlags: describeGlobalFlags(), groups: GROUPS };
  const request = readRequest(argv, program);
  const completion = await Promise.race([
    findCompletion(request, {
      // Helm has the flags from completion.yaml, and would offer them twice.
      showsFlags: bin === 'dt',
      environment: variables,
      signal: AbortSignal.any([context.signal, deadline]),
    }).catch(() => ANY_FILE),
    sleep(DEADLINE_MS, ANY_FILE, { ref: false }),
  ]);
  context.stdout.write(formatCompletion(completion));
}

async function findCompletion(
  request: CompletionRequest | undefined,
  context: CompletionContext & { readonly showsFlags: boolean },
): Promise<Completion> {
  if (request === undefined) return NOTHING;
  const { kind, word } = request;
  if (kind === 'words') return keepBeginnings(word, { kind, words: request.words });
  if (kind === 'flags')
    return context.showsFlags ? keepBeginnings(word, { kind: 'words', words: request.flags }) : NOTHING;
  const { choice, args, delimiter } = request;
  // Of `a,b,c` only the last part is still being typed.
  const start = delimiter === undefined ? 0 : word.lastIndexOf(delimiter) + 1;
  const part = { word: word.slice(start), args };
  const found = typeof choice === 'string' ? await completePart({ ...part, kind: choice }, context) : toWords(choice);
  return keepBeginnings(word, continueList(word.slice(0, start), found, delimiter));
}

async function completePart(request: ValueRequest, context: CompletionContext): Promise<Completion> {
  const { completeValue } = await import('../../workflows/complete-value.ts');
  return completeValue(request, context);
}

/** The whole list for every part that it may be continued with; what is in it already is not offered again. */
function continueList(start: string, completion: Completion, delimiter = ''): Completion {
  if (start === '' || completion.kind !== 'words') return completion;
  const given = start.split(delimiter);
  const words = completion.words.filter(({ text }) => !given.includes(text));
  return { kind: 'words', words: words.map((word) => ({ ...word, text: start + word.text })) };
}

function keepBeginnings(word: string, completion: Completion): Completion {
  if (completion.kind !== 'words') return completion;
  return { kind: 'words', words: completion.words.filter(({ text }) => text.startsWith(word)) };
}
