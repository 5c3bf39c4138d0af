import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isYamlMap, parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';
import { buildChart, GOLDEN, readFolder, relocateWith, textsOf } from '../../../support/relocation-fixtures.ts';

interface GoldenStep {
  readonly argv: readonly string[];
  readonly exit: number;
}

/** The value of each repeated flag, comma lists taken apart. */
function flagValues(argv: readonly string[], flag: string): readonly string[] {
  return argv.flatMap((word, index) => (argv[index - 1] === flag ? word.split(',') : []));
}

/** A file as its meaning: annotations that hold YAML are parsed too. */
function meaningOf(text: string, path: string): unknown {
  const document = parseYaml(text, path);
  if (!isYamlMap(document) || !isYamlMap(document['annotations'])) return document;
  const annotations = Object.entries(document['annotations']).map(([key, value]) => {
    const list = typeof value === 'string' && value.includes('image:') ? parseYaml(value, key) : value;
    return [key, list];
  });
  return { ...document, annotations: Object.fromEntries(annotations) as unknown };
}

/** The lines of the text that differ, with old and new text. Throws if lines were added or taken away. */
function changedLines(before: string, after: string): readonly (readonly [string, string])[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  assert.equal(now.length, old.length);
  return old.flatMap((line, index) => (line === now[index] ? [] : [[line, now[index] ?? ''] as const]));
}

/** What the Go tool gets wrong (defects `reference-tag-and-digest-loses-tag`) in a golden output. */
function corrected(name: string, path: string, text: string): string {
  if (name !== 'chart-annotations' || path !== 'Chart.yaml') return text;
  return text.replace(/(yy)(@sha256:b{64})/, '$1:1.2$2');
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
          else assert.deepEqual(meaningOf(text, path), meaningOf(corrected(name, path, wanted), path), path);
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
