import type { Suggestion } from '../../workflows/completing/completion.ts';
import type { CommandDescription, FlagDescription } from '../describe-commands.ts';
import { findFlag, splitCommand, type SplitCommand } from '../normalize-argv.ts';
import { chooseArgument, chooseFlag, type ValueChoice } from './value-kinds.ts';

/** The commands, as their table describes them. */
export interface ProgramDescription {
  readonly commands: readonly CommandDescription[];
  readonly globalFlags: readonly FlagDescription[];
  /** What the groups of commands are about, by their words. */
  readonly groups: Readonly<Record<string, string>>;
}

/** What the last word of a command line is to be completed to. */
export type CompletionRequest =
  | { readonly kind: 'words'; readonly word: string; readonly words: readonly Suggestion[] }
  | { readonly kind: 'flags'; readonly word: string; readonly flags: readonly Suggestion[] }
  | {
      readonly kind: 'value';
      /** The value as far as it is typed: what stands behind the `=` of a flag. */
      readonly word: string;
      readonly choice: ValueChoice;
      /** The arguments in front of it. */
      readonly args: readonly string[];
      /** What stands between several values in one word. */
      readonly delimiter?: string;
    };

const HELP_FLAG: Suggestion = { text: '--help', summary: 'show help' };
const HELP_COMMAND: Suggestion = { text: 'help', summary: 'show help about a command' };

/** Reads a command line of which the last word is being typed. Undefined if nothing can follow, as behind an unknown command. */
export function readRequest(argv: readonly string[], program: ProgramDescription): CompletionRequest | undefined {
  const before = argv.slice(0, -1);
  const word = argv.at(-1) ?? '';
  const isHelp = before[0] === 'help';
  const split = trySplit(isHelp ? before.slice(1) : before, program);
  if (split === undefined) return undefined;
  const { commands, globalFlags } = program;
  const command = commands.find(({ id }) => id === split.words.join(' '));
  if (command === undefined && split.rest.length > 0) return undefined;
  if (isHelp) return { kind: 'words', word, words: listNextWords(split.words, program) };
  const flags = command?.flags ?? globalFlags;
  const typed = readTyped([...split.leading, ...split.rest], flags);
  if (typed.openFlag !== undefined) return requestValue(typed.openFlag, word, typed.args);
  if (word.startsWith('-') && !typed.isPastFlags) return requestFlag(word, flags, typed);
  if (command === undefined) {
    const words = listNextWords(split.words, program);
    return { kind: 'words', word, words: split.words.length === 0 ? [...words, HELP_COMMAND] : words };
  }
  const arg = command.args[typed.args.length] ?? command.args.filter(({ isList }) => isList).at(-1);
  return arg === undefined ? undefined : { kind: 'value', word, choice: chooseArgument(arg), args: typed.args };
}

function trySplit(argv: readonly string[], { commands, globalFlags }: ProgramDescription): SplitCommand | undefined {
  try {
    return splitCommand(argv, commands, globalFlags);
  } catch {
    return undefined;
  }
}

interface TypedWords {
  readonly args: readonly string[];
  readonly flags: readonly FlagDescription[];
  /** The flag whose value comes next. */
  readonly openFlag?: FlagDescription;
  /** True behind `--`. */
  readonly isPastFlags: boolean;
}

function readTyped(argv: readonly string[], known: readonly FlagDescription[]): TypedWords {
  const args: string[] = [];
  const flags: FlagDescription[] = [];
  let openFlag: FlagDescription | undefined;
  for (const [index, token] of argv.entries()) {
    if (openFlag !== undefined) {
      openFlag = undefined;
    } else if (token === '--') {
      return { args: [...args, ...argv.slice(index + 1)], flags, isPastFlags: true };
    } else if (!token.startsWith('-') || token === '-') {
      args.push(token);
    } else {
      const flag = findFlag(token, known);
      if (flag === undefined) continue;
      flags.push(flag);
      const hasValue = token.includes('=') || (!token.startsWith('--') && token.length > 2);
      if (!flag.isBoolean && !hasValue) openFlag = flag;
    }
  }
  return { args, flags, isPastFlags: false, ...(openFlag === undefined ? {} : { openFlag }) };
}

function requestFlag(
  word: string,
  known: readonly FlagDescription[],
  { args, flags }: TypedWords,
): CompletionRequest | undefined {
  const separator = word.indexOf('=');
  if (separator === -1) {
    const free = known.filter((flag) => !flag.isHidden && (flag.isList || !flags.includes(flag)));
    return { kind: 'flags', word, flags: [...free.flatMap(suggestFlag), HELP_FLAG] };
  }
  const flag = findFlag(word, known);
  if (flag === undefined || (flag.isBoolean && (flag.perHostFlag ?? flag.fileFlag) === undefined)) return undefined;
  return requestValue(flag, word.slice(separator + 1), args);
}

function requestValue(flag: FlagDescription, word: string, args: readonly string[]): CompletionRequest {
  const { delimiter } = flag;
  return {
    kind: 'value',
    word,
    choice: chooseFlag(flag),
    args,
    ...(delimiter === undefined ? {} : { delimiter }),
  };
}

function suggestFlag({ name, summary, hasNegation }: FlagDescription): Suggestion[] {
  const negation = hasNegation === true ? [{ text: `--no-${name}`, summary: `not: ${summary}` }] : [];
  return [{ text: `--${name}`, summary }, ...negation];
}

/** What may come behind the words of a group, or at the very start. */
function listNextWords(words: readonly string[], { commands, groups }: ProgramDescription): Suggestion[] {
  const next = new Map<string, string>();
  for (const { id, summary } of commands) {
    const parts = id.split(' ');
    const word = parts[words.length];
    if (word === undefined || words.some((part, index) => part !== parts[index])) continue;
    const isGroup = parts.length > words.length + 1;
    next.set(word, isGroup ? (groups[parts.slice(0, words.length + 1).join(' ')] ?? '') : summary);
  }
  return [...next].map(([text, summary]) => ({ text, summary }));
}
