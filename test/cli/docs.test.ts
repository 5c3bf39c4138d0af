import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ERROR_EXIT_CODES } from '../../src/domain/errors.ts';
import { openDocsSite } from '../support/docs-site.ts';
import type { RunCliResult } from '../support/run-cli.ts';

const DOCS_FOLDER = join(import.meta.dirname, '..', '..', 'docs');
const CONSOLE_BLOCK = /^```console\n([^]*?)^```$/gm;
const EXIT_COMMENT = /# exit code (\d+)$/;
/** Stands for what differs from run to run. */
const WILDCARD = '…';

interface ShownCommand {
  readonly line: string;
  readonly exitCode: number;
  /** Lines of what it prints, in their order; not all of them. */
  readonly output: readonly string[];
}

/** The commands of a page: lines that begin with `$ `, each with what follows it in its block. */
function readCommands(text: string): ShownCommand[] {
  return [...text.matchAll(CONSOLE_BLOCK)].flatMap(([, block = '']) => {
    const commands: { line: string; exitCode: number; output: string[] }[] = [];
    for (const line of block.replaceAll(/\\\n +/g, '').split('\n')) {
      const current = commands.at(-1);
      if (line.startsWith('$ ')) {
        const exitCode = Number(EXIT_COMMENT.exec(line)?.[1] ?? 0);
        commands.push({ line: line.slice(2), exitCode, output: [] });
      } else if (line !== '' && line !== WILDCARD) {
        if (current === undefined) throw new Error(`a console block of the documentation begins with "${line}"`);
        current.output.push(line.trim());
      }
    }
    return commands;
  });
}

function toPattern(line: string): RegExp {
  return new RegExp(
    line
      .split(WILDCARD)
      .map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'))
      .join('.*'),
  );
}

describe('every command of the documentation does what stands there', () => {
  for (const page of readdirSync(DOCS_FOLDER).filter((name) => name.endsWith('.md'))) {
    const commands = readCommands(readFileSync(join(DOCS_FOLDER, page), 'utf8'));
    if (commands.length === 0) continue;
    test(page, async (t) => {
      const site = await openDocsSite(t, page);
      if (site === undefined) return;
      for (const { line, exitCode, output } of commands) {
        const result: RunCliResult = await site.run(line);
        const printed: string = `${result.stderr}${result.stdout}`;
        assert.equal(result.code, exitCode, `${line}\n${printed}`);
        let rest: string = printed;
        for (const expected of output) {
          const found = toPattern(expected).exec(rest);
          assert.ok(found !== null, `${line} does not print "${expected}", or not in this order:\n${printed}`);
          rest = rest.slice(found.index + found[0].length);
        }
      }
    });
  }
});

test('the page of exit codes has every error code under its exit code, and no other', () => {
  const rows = readFileSync(join(DOCS_FOLDER, 'exit-codes.md'), 'utf8').matchAll(/^\| (\d+) \| `(DT_\w+)` \|/gm);
  const documented = Object.fromEntries([...rows].map(([, exitCode, code]) => [code ?? '', Number(exitCode)]));
  assert.deepEqual(documented, { ...ERROR_EXIT_CODES });
});
