import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Interfaces } from '@oclif/core';
import { parse } from '@oclif/core/parser';
import { GLOBAL_FLAGS } from '../../../src/commands/global-flags.ts';
import { COMMANDS } from '../../../src/commands/index.ts';
import { allFlags, type AnyFlag } from '../../../src/commands/oclif-config.ts';
import { GOLDEN_ROOT } from '../../support/golden.ts';

/** A flag as cli.md has it: `--values` list, `values.yaml`. */
interface GoFlag {
  readonly name: string;
  readonly char: string | undefined;
  readonly type: string;
  readonly defaultText: string | undefined;
}

/** Read before any command is looked for: see `normalize-argv.test.ts`. */
const READ_EARLIER = ['help', 'help [COMMAND]'];

/** What the Go tool has got in 0.9. */
const ADDED_FLAGS: Readonly<Record<string, string>> = {
  wrap: 'preserve-digest',
  unwrap: 'preserve-digest',
  'images wrap': 'preserve-digest',
  'images unwrap': 'preserve-digest',
};

/** Defaults that depend on the chart, or are lists: a workflow fills them in, and the help tells them. */
const TOLD_DEFAULTS: Readonly<Record<string, string>> = {
  images: '(default: images, helm.sh/images and artifacthub.io/images)',
  'values.yaml': '(default: values.yaml)',
  'CHART/Images.lock': '(default: Images.lock in the chart folder)',
  'CHART/images': '(default: images in the chart folder)',
};

const [globalRows = [], commandRows = []] = readTables(readFileSync(join(GOLDEN_ROOT, '..', 'cli.md'), 'utf8'));

describe('every command and flag of the Go tool', () => {
  for (const [name = '', type = ''] of globalRows) {
    for (const goFlag of readFlags(`${name} ${type}`)) {
      if (READ_EARLIER.includes(goFlag.name)) continue;
      test(`--${goFlag.name} everywhere`, () => {
        assertSameFlag((GLOBAL_FLAGS as Record<string, AnyFlag>)[goFlag.name], goFlag);
      });
    }
  }

  for (const [id = '', args = '', flags = ''] of commandRows) {
    const name = id.replaceAll('`', '');
    if (READ_EARLIER.includes(name)) continue;
    const command = COMMANDS[name.replace(' ', ':')];
    test(`${name} takes as many arguments`, () => {
      assert.ok(command !== undefined, 'there is no such command');
      const required = Object.values(command.args).filter((arg) => arg.required === true);
      assert.equal(required.length, /^[A-Z]/.test(args) ? args.split(' or ')[0]?.split(' ').length : 0);
    });
    for (const goFlag of readFlags(flags)) {
      test(`${name} --${goFlag.name}`, async () => {
        assert.ok(command !== undefined);
        const flag = allFlags(command)[goFlag.name];
        assertSameFlag(flag, goFlag);
        if (goFlag.type === 'list') await assertList(goFlag.name, flag);
      });
    }
  }

  for (const [name, flagName] of Object.entries(ADDED_FLAGS)) {
    test(`${name} --${flagName}`, () => {
      const command = COMMANDS[name.replace(' ', ':')];
      assert.ok(command !== undefined);
      assert.equal(allFlags(command)[flagName]?.type, 'boolean');
    });
  }

  test('the tables were read to their ends', () => {
    assert.deepEqual([globalRows.length, commandRows.length], [7, 16]);
    assert.equal(commandRows.flatMap(([, , flags = '']) => readFlags(flags)).length, 31);
  });
});

function assertSameFlag(flag: AnyFlag | undefined, { name, char, type, defaultText }: GoFlag): void {
  assert.ok(flag !== undefined, `there is no --${name}`);
  assert.notEqual(flag.hidden, true);
  assert.equal(flag.char, char ?? flag.char);
  assert.equal(flag.type, type === 'bool' ? 'boolean' : 'option');
  if (flag.type === 'option') {
    assert.equal(flag.multiple === true, type === 'list');
    assert.equal(flag.options, undefined);
  }
  if (defaultText === undefined) assert.ok(flag.default === undefined || flag.default === false);
  else if (flag.default !== undefined) assert.equal(flag.default, defaultText);
  else assert.ok(flag.summary?.includes(TOLD_DEFAULTS[defaultText] ?? defaultText) === true, name);
}

/** Commas and repetition, and what follows is no value. */
async function assertList(name: string, flag: AnyFlag | undefined): Promise<void> {
  assert.ok(flag !== undefined);
  const argv = [`--${name}`, 'a,b', `--${name}=c`, 'argument'];
  const parsed = await parse(argv, { flags: { [name]: flag } as Interfaces.FlagInput, strict: false });
  assert.deepEqual([parsed.flags[name], parsed.argv], [['a', 'b', 'c'], ['argument']]);
}

/** The cells of the rows of the first tables of sections 1 and 2. */
function readTables(text: string): string[][][] {
  return ['## 1. ', '## 2. '].map((title) => {
    const section = text.slice(text.indexOf(`\n${title}`));
    const table = section.slice(section.indexOf('|---')).split('\n\n', 1)[0] ?? '';
    return table
      .split('\n')
      .slice(1)
      .map((row) =>
        row
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
  });
}

/** `` `-u`/`--username`, `-p`/`--password` string; `--password-stdin` bool `` */
function readFlags(text: string): GoFlag[] {
  return text.split('; ').flatMap((group) => {
    const [, type = '', defaultText] = /` (bool|string|list)(?:, `?([^`]+?)`?)?(?: \(.*\))?$/.exec(group.trim()) ?? [];
    return [...group.matchAll(/(?:`-(\w)`(?:\/|, ))?`--([a-z-]+)`/g)].map(([, char, name = '']) => ({
      name,
      char,
      type,
      defaultText,
    }));
  });
}
