import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { GLOBAL_FLAGS } from '../../src/commands/global-flags.ts';
import { COMMANDS, GROUPS } from '../../src/commands/index.ts';
import type { AnyFlag } from '../../src/commands/oclif-config.ts';
import { ERROR_EXIT_CODES, EXIT_CODES } from '../../src/domain/errors.ts';

const SNAPSHOT = join(import.meta.dirname, 'command-surface.json');
const UPDATE =
  'scripts depend on the command surface; if the change is meant: UPDATE_GOLDEN=1 node --test test/golden/command-surface.test.ts';

test('commands, flags, defaults and exit codes are as committed', async () => {
  const text = `${JSON.stringify(describeSurface(), null, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(SNAPSHOT, text);
  const committed = await readFile(SNAPSHOT, 'utf8');
  // Compared as objects first: the message then shows what differs.
  assert.deepEqual(JSON.parse(text), JSON.parse(committed), UPDATE);
});

/** What a script can rely on: names, types and defaults, without the wording of the help. */
function describeSurface(): object {
  return {
    exitCodes: EXIT_CODES,
    errors: ERROR_EXIT_CODES,
    globalFlags: describeFlags(GLOBAL_FLAGS),
    groups: Object.keys(GROUPS),
    commands: Object.fromEntries(
      Object.entries(COMMANDS).map(([id, { args, flags, hidden, aliases }]) => [
        id.replaceAll(':', ' '),
        {
          ...(hidden ? { hidden } : {}),
          ...(aliases.length > 0 ? { aliases } : {}),
          args: Object.entries(args).map(([name, { required, multiple, options }]) => ({
            name,
            ...(required === true ? { required } : {}),
            ...(multiple === true ? { multiple } : {}),
            ...(options === undefined ? {} : { options }),
          })),
          flags: describeFlags(flags as Readonly<Record<string, AnyFlag>> | undefined),
        },
      ]),
    ),
  };
}

function describeFlags(flags: Readonly<Record<string, AnyFlag>> = {}): object {
  return Object.fromEntries(
    Object.entries(flags)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, flag]) => [name, describeFlag(flag)]),
  );
}

function describeFlag(flag: AnyFlag): object {
  const common = {
    ...(flag.char === undefined ? {} : { char: flag.char }),
    ...(flag.hidden === true ? { hidden: true } : {}),
    ...(flag.required === true ? { required: true } : {}),
    ...(flag.default === undefined || flag.default === false ? {} : { default: flag.default as unknown }),
  };
  if (flag.type === 'boolean') return { type: 'boolean', ...(flag.allowNo ? { negation: true } : {}), ...common };
  return {
    type: flag.multiple === true ? 'list' : 'string',
    ...(flag.delimiter === undefined ? {} : { delimiter: flag.delimiter }),
    ...(flag.options === undefined ? {} : { options: flag.options }),
    ...common,
  };
}
