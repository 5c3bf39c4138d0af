import { DtError } from '../domain/errors.ts';
import type { CommandSpec, FlagSpec } from './command-spec.ts';
import { findClosest } from './suggest.ts';

/** What a command line asks for. `id` has blanks between its words; without it, help is about the program. */
export type Invocation =
  | { readonly kind: 'run'; readonly id: string; readonly argv: readonly string[] }
  | { readonly kind: 'help'; readonly id?: string };

const HELP_FLAGS: readonly string[] = ['--help', '-h'];
/** A host as registries have it: with a dot, with a port, in brackets, or `localhost`. */
const HOST = /^(?:localhost|[\w-]+(?:\.[\w-]+)+|(?:[\w.-]+|\[[0-9a-f:]+\]):\d{1,5}|\[[0-9a-f:]+\])$/i;

/**
 * Turns a command line as Helm users write it into one that oclif reads right: `--bool=true|false` becomes the flag or
 * nothing, `--insecure=HOST` and `--with-plugin=FILE` become the flags that take a value, global flags in front of the command move behind it,
 * `help COMMAND` becomes help. Throws `DT_USAGE` for an unknown command and for any other value of a boolean.
 */
export function normalizeArgv(
  argv: readonly string[],
  commands: readonly CommandSpec[],
  globalFlags: readonly FlagSpec[],
): Invocation {
  if (argv[0] === 'help') return readHelpCommand(argv.slice(1), commands);
  if (argv[0] === '--version') return { kind: 'run', id: 'version', argv: argv.slice(1) };
  const { words, leading, rest } = splitCommand(argv, commands, globalFlags);
  const id = words.join(' ');
  const command = commands.find((candidate) => candidate.id === id);
  if (command === undefined) {
    const [extra] = rest;
    if (extra !== undefined && extra !== '--' && !asksForHelp(leading))
      throw unknownCommand([...words, extra], commands);
    return id === '' ? { kind: 'help' } : { kind: 'help', id };
  }
  const normalized = normalizeFlags([...leading, ...rest], command.flags);
  return asksForHelp(normalized) ? { kind: 'help', id } : { kind: 'run', id, argv: normalized };
}

function readHelpCommand(words: readonly string[], commands: readonly CommandSpec[]): Invocation {
  const named = words.filter((word) => !word.startsWith('-'));
  if (named.length === 0) return { kind: 'help' };
  if (!isCommandOrGroup(named, commands)) throw unknownCommand(named, commands);
  return { kind: 'help', id: named.join(' ') };
}

/** A command line that is cut behind the words of its command. */
export interface SplitCommand {
  /** The words of the longest command or group at the start. */
  readonly words: readonly string[];
  /** Flags in front of the command or between its words, with their values. */
  readonly leading: readonly string[];
  readonly rest: readonly string[];
}

/** Finds the command of a command line. Throws DT_USAGE for a flag in front of it that is not global. */
export function splitCommand(
  argv: readonly string[],
  commands: readonly CommandSpec[],
  globalFlags: readonly FlagSpec[],
): SplitCommand {
  const words: string[] = [];
  const leading: string[] = [];
  let position = 0;
  while (position < argv.length) {
    const token = argv[position] ?? '';
    if (token.startsWith('-') && token !== '-') {
      const isComplete = commands.some((command) => command.id === words.join(' '));
      if (isComplete || token === '--') break;
      const width = measureLeadingFlag(token, globalFlags);
      leading.push(...argv.slice(position, position + width));
      position += width;
    } else if (isCommandOrGroup([...words, token], commands)) {
      words.push(token);
      position += 1;
    } else {
      break;
    }
  }
  return { words, leading, rest: argv.slice(position) };
}

/** How many words a flag in front of the command takes. */
function measureLeadingFlag(token: string, globalFlags: readonly FlagSpec[]): number {
  if (HELP_FLAGS.includes(token)) return 1;
  const flag = findFlag(token, globalFlags);
  if (flag === undefined) {
    throw new DtError('DT_USAGE', `unknown flag ${nameOf(token)} in front of the command`, {
      detail: 'Only global flags may stand in front of the command; its own flags come behind it.',
      hints: ['{bin} --help'],
    });
  }
  return flag.isBoolean || token.includes('=') ? 1 : 2;
}

function normalizeFlags(argv: readonly string[], flags: readonly FlagSpec[]): string[] {
  const output: string[] = [];
  for (let position = 0; position < argv.length; position += 1) {
    const token = argv[position] ?? '';
    if (token === '--') return [...output, ...argv.slice(position)];
    const flag = token.startsWith('-') ? findFlag(token, flags) : undefined;
    if (flag === undefined) {
      output.push(token);
    } else if (flag.isBoolean) {
      applyBoolean(flag, token, output);
    } else {
      const takesNext = !token.includes('=') && (token.startsWith('--') || token.length === 2);
      output.push(...argv.slice(position, position + (takesNext ? 2 : 1)));
      position += takesNext ? 1 : 0;
    }
  }
  return output;
}

function applyBoolean(flag: FlagSpec, token: string, output: string[]): void {
  const separator = token.indexOf('=');
  const value = separator === -1 ? 'true' : token.slice(separator + 1);
  const longName = `--${flag.name}`;
  if (value === 'true') {
    output.push(separator === -1 ? token : longName);
  } else if (value === 'false') {
    // The last word counts, as in every Go tool: what was switched on before is taken back.
    const spellings = flag.char === undefined ? [longName] : [longName, `-${flag.char}`];
    output.splice(0, output.length, ...output.filter((earlier) => !spellings.includes(earlier)));
    if (flag.hasNegation === true) output.push(`--no-${flag.name}`);
  } else if (flag.perHostFlag !== undefined && HOST.test(value)) {
    output.push(`--${flag.perHostFlag}`, value);
  } else if (flag.fileFlag !== undefined && value !== '') {
    output.push(`--${flag.fileFlag}`, value);
  } else {
    throw new DtError('DT_USAGE', `${nameOf(token)} takes ${describeValues(flag)}, not "${value}"`, {
      hints: ['{bin} --help'],
    });
  }
}

/** What a boolean flag takes behind `=`. */
function describeValues({ perHostFlag, fileFlag }: FlagSpec): string {
  if (perHostFlag !== undefined) return 'true, false or a host such as registry.example.com:5000';
  return fileFlag === undefined ? 'true or false' : 'true, false or a file';
}

/** The flag that a word of a command line names, with or without its value behind `=`. */
export function findFlag<T extends FlagSpec>(token: string, flags: readonly T[]): T | undefined {
  const name = nameOf(token);
  if (name.startsWith('--')) return flags.find((flag) => `--${flag.name}` === name);
  const char = token[1];
  const isWhole = token.length === 2 || token[2] === '=';
  // Several letters behind one dash (`-ab`) are left to oclif.
  return flags.find((flag) => flag.char !== undefined && flag.char === char && (isWhole || !flag.isBoolean));
}

function nameOf(token: string): string {
  return token.split('=', 1)[0] ?? token;
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).some((token) => HELP_FLAGS.includes(token));
}

function isCommandOrGroup(words: readonly string[], commands: readonly CommandSpec[]): boolean {
  const id = words.join(' ');
  return commands.some((command) => command.id === id || command.id.startsWith(`${id} `));
}

function unknownCommand(words: readonly string[], commands: readonly CommandSpec[]): DtError {
  const typed = words.join(' ');
  const closest = findClosest(
    typed,
    commands.flatMap((command) => listPrefixes(command.id)),
  );
  return new DtError('DT_USAGE', `unknown command "${typed}"`, {
    ...(closest === undefined ? {} : { detail: `Did you mean "${closest}"?` }),
    hints: closest === undefined ? ['{bin} --help'] : [`{bin} ${closest} --help`, '{bin} --help'],
  });
}

function listPrefixes(id: string): string[] {
  const words = id.split(' ');
  return words.map((_word, index) => words.slice(0, index + 1).join(' '));
}
