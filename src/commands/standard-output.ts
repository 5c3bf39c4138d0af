import { DtError } from '../domain/errors.ts';
import { STANDARD_STREAM } from '../domain/standard-stream.ts';

/** What an output to standard output does not go together with. */
export interface StandardOutputFlags {
  readonly 'output-file': string | undefined;
  readonly json: boolean;
  readonly sign: string | undefined;
  readonly split: string | undefined;
}

/** Standard output if the wrap goes there (`--output-file -`). Throws DT_USAGE for a terminal, and for flags that need a file. */
export function findStandardOutput(
  flags: StandardOutputFlags,
  stdout: NodeJS.WriteStream,
): NodeJS.WriteStream | undefined {
  if (flags['output-file'] !== STANDARD_STREAM) return undefined;
  const reject = (why: string): DtError => new DtError('DT_USAGE', `a wrap cannot go to standard output ${why}`);
  if (flags.json) throw reject('with --json, whose document goes there');
  if (flags.sign !== undefined) throw reject('with --sign: the signature is a file beside the wrap');
  if (flags.split !== undefined) throw reject('with --split: parts are files');
  if (stdout.isTTY) throw reject('while that is a terminal: send it to a program, or name a file');
  // Whoever writes the wrap is told of each failure and throws it: a cut wrap must not end the program early, let alone quietly.
  return stdout.removeAllListeners('error').on('error', () => undefined);
}
