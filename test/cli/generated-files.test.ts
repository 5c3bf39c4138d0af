import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatCompletionYaml } from '../../scripts/lib/completion-yaml.ts';
import { formatManPage } from '../../scripts/lib/man-page.ts';
import { REPOSITORY_ROOT, runCommand } from '../../scripts/lib/run-command.ts';
import {
  describeCommands,
  describeGlobalFlags,
  type CommandDescription,
} from '../../src/commands/describe-commands.ts';
import { requireTool } from '../support/tools.ts';

const MAN_PAGE_PATH = join(REPOSITORY_ROOT, 'dist', 'man', 'dt.1');
/** The page is the same at every build, so it has none. */
const MISSING_DATE = /WARNING: missing date/;

test('completion.yaml and the man page are those of the table of commands', async () => {
  const files = {
    'completion.yaml': formatCompletionYaml(describeCommands()),
    'dist/man/dt.1': formatManPage(describeCommands(), describeGlobalFlags()),
  };
  for (const [path, text] of Object.entries(files)) {
    const built = await readFile(join(REPOSITORY_ROOT, path), 'utf8').catch(() => '');
    // Not `equal`, which would show both at full length.
    assert.ok(built === text, `${path} is out of step: run "npm run build"`);
  }
});

test('the man page has no mistake that mandoc would find', async (t) => {
  const mandoc = requireTool(t, 'mandoc');
  if (mandoc === undefined) return;
  const { output } = await runCommand(mandoc, ['-Tlint', '-Wwarning', MAN_PAGE_PATH], { isCaptured: true });
  assert.deepEqual(
    output.split('\n').filter((line) => line !== '' && !MISSING_DATE.test(line)),
    [],
  );
});

test('the man page shows every command with its flags, as they are typed', async (t) => {
  const mandoc = requireTool(t, 'mandoc');
  if (mandoc === undefined) return;
  const { output } = await runCommand(mandoc, ['-Tutf8', '-Owidth=200', MAN_PAGE_PATH], { isCaptured: true });
  const text = output.replace(/.\u0008/gu, '');
  for (const { id, flags, examples } of describeCommands()) {
    assert.match(text, new RegExp(`^ +dt ${id}(?: |$)`, 'm'));
    for (const { name, isHidden } of flags) if (!isHidden) assert.match(text, new RegExp(`--(?:\\[no-\\])?${name}\\b`));
    for (const example of examples) assert.ok(text.includes(example), example);
  }
});

test('text of a command is no request to the formatter', async (t) => {
  const mandoc = requireTool(t, 'mandoc');
  if (mandoc === undefined) return;
  const hostile: CommandDescription = {
    id: 'odd',
    summary: '.so /etc/passwd',
    description: '\'br \\fBbold\\fR "quoted" – done',
    flags: [],
    args: [],
    examples: [],
  };
  const page = formatManPage([hostile], []);
  assert.match(page, /^\\&\.so \/etc\/passwd\.$/m);
  assert.match(page, /^\\&'br \\efBbold\\efR "quoted" \\\[u2013\] done$/m);
});
