import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYaml, parseYamlTexts } from '../../../../src/domain/yaml/parse-yaml.ts';

const LEVELS = Array.from(
  { length: 9 },
  (_, level) =>
    `a${String(level + 1)}: &a${String(level + 1)} [${Array.from({ length: 10 }, () => `*a${String(level)}`).join(', ')}]`,
);

for (const parse of [parseYaml, parseYamlTexts]) {
  test(`${parse.name}: aliases that stand for a billion nodes are refused`, () => {
    assert.throws(() => parse(`a0: &a0 x\n${LEVELS.join('\n')}\n`, 'x'), { code: 'DT_YAML_INVALID' });
  });
  test(`${parse.name}: a node that contains itself is refused`, () => {
    assert.throws(() => parse('a: &a [*a]\n', 'x'), { code: 'DT_YAML_INVALID' });
  });
  test(`${parse.name}: a node that is used often is fine`, () => {
    assert.deepEqual(parse('a: &a {b: c}\nd: [*a, *a]\n', 'x'), { a: { b: 'c' }, d: [{ b: 'c' }, { b: 'c' }] });
  });
}
