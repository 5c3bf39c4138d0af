import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { changedLines, correctRecorded, meaningOf } from '../../../support/recorded-relocation.ts';
import { buildChart, GOLDEN, readFolder, relocateWith, textsOf } from '../../../support/relocation-fixtures.ts';

interface GoldenStep {
  readonly argv: readonly string[];
  readonly exit: number;
}

/** The value of each repeated flag, comma lists taken apart. */
function flagValues(argv: readonly string[], flag: string): readonly string[] {
  return argv.flatMap((word, index) => (argv[index - 1] === flag ? word.split(',') : []));
}

const CASES = readdirSync(join(GOLDEN, 'dt-relocate'));
const ELSEWHERE: ReadonlySet<string> = new Set(['errors', 'skip-relocation']);

describe('golden relocations', () => {
  for (const name of CASES.filter((entry) => !ELSEWHERE.has(entry))) {
    const folder = join(GOLDEN, 'dt-relocate', name);
    const { steps } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as {
      readonly steps: readonly GoldenStep[];
    };
    for (const { argv, exit } of steps) {
      const [chartName = '', prefix = ''] = argv.slice(3);
      if (exit !== 0) continue;
      it(`${name} ${chartName} ${prefix}`, async () => {
        const input = readFolder(join(folder, 'input', chartName));
        const output = existsSync(join(folder, 'output', chartName))
          ? readFolder(join(folder, 'output', chartName))
          : new Map<string, string>();
        const annotationKeys = flagValues(argv, '--annotations-key');
        const valuesFiles = flagValues(argv, '--values');
        const options = {
          prefix,
          ...(annotationKeys.length > 0 ? { annotationKeys } : {}),
          ...(valuesFiles.length > 0 ? { valuesFiles } : {}),
        };
        const chart = buildChart(input);
        const result = await relocateWith(chart, options);
        const texts = textsOf(result.tree);
        assert.deepEqual([...texts.keys()].sort(), [...input.keys()].sort());
        for (const [path, text] of texts) {
          const before = input.get(path) ?? '';
          const wanted = output.get(path);
          if (wanted === undefined) assert.equal(text, before, path);
          else
            assert.deepEqual(
              meaningOf(text, path),
              meaningOf(correctRecorded(`dt-relocate/${name}`, path, wanted), path),
              path,
            );
          for (const [, line] of changedLines(before, text))
            assert.match(line, /image:|registry:|repository:|images: "/);
          assert.equal(
            changedLines(before, text).length <= result.changes.filter(({ file }) => file === path).length,
            true,
          );
        }
        const again = await relocateWith(buildChart(texts), options);
        assert.deepEqual(again.changes, []);
      });
    }
  }
});
