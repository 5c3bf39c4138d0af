import * as Errors from '@oclif/core/errors';
import { copyError } from '../domain/error-rules.ts';
import { DtError, isDtError } from '../domain/errors.ts';
import type { CommandSpec } from './command-spec.ts';
import { findClosest } from './suggest.ts';

/** The fields that oclif's parser puts on its errors; their classes are not exported. */
interface ParseErrorFields {
  readonly flags?: unknown;
  readonly args?: unknown;
}

/** Turns a complaint of oclif's parser into `DT_USAGE` with what to try, which a `DT_USAGE` without gets, too; any other value stays as it is. */
export function mapOclifError(error: unknown, command: CommandSpec): unknown {
  const hints = [`{bin} ${command.id} --help`];
  if (isDtError(error, 'DT_USAGE') && error.hints.length === 0) return copyError(error, { hints });
  if (!(error instanceof Errors.CLIError)) return error;
  const { flags, args } = error as ParseErrorFields;
  if (isTextList(flags)) return unknownFlag(flags[0] ?? '', command, hints);
  if (Array.isArray(args)) {
    const message = describeArguments(args);
    if (message !== undefined) return new DtError('DT_USAGE', message, { hints });
  }
  return new DtError('DT_USAGE', tidyMessage(error.message), { hints });
}

function unknownFlag(typed: string, command: CommandSpec, hints: readonly string[]): DtError {
  const name = typed.split('=', 1)[0] ?? typed;
  const closest = findClosest(
    name,
    command.flags.map((flag) => `--${flag.name}`),
  );
  return new DtError('DT_USAGE', `unknown flag ${name}`, {
    ...(closest === undefined ? {} : { detail: `Did you mean ${closest}?` }),
    hints,
  });
}

/** Missing arguments come as objects with a name, superfluous ones as the text that was typed. */
function describeArguments(args: readonly unknown[]): string | undefined {
  if (args.length === 0) return undefined;
  if (isTextList(args)) return `unexpected argument ${args.map((text) => `"${text}"`).join(', ')}`;
  const names = args.flatMap((arg) => (hasName(arg) ? [arg.name.toUpperCase()] : []));
  return names.length === 0 ? undefined : `missing argument ${names.join(', ')}`;
}

function tidyMessage(message: string): string {
  const text = message
    .replace('See more help with --help', '')
    .replace(/^Parsing (\S+)\s+Expected/, '$1: expected')
    .trim();
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}

function hasName(value: unknown): value is { readonly name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}
