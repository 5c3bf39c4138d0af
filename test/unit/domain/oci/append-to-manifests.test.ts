import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendToManifests } from '../../../../src/domain/oci/append-to-manifests.ts';

for (const [what, before, after] of [
  ['an empty list', '{"manifests":[]}', '{"manifests":[{"a":1}]}'],
  ['an empty list with blanks', '{"manifests": [ ] }', '{"manifests": [{"a":1} ] }'],
  ['a list that is null', '{"manifests": null ,"x":1}', '{"manifests": [{"a":1}] ,"x":1}'],
  ['a list at the end', '{"x":1,"manifests":[{}]}', '{"x":1,"manifests":[{},{"a":1}]}'],
  [
    'a list on many lines',
    '{\n  "manifests": [\n    {"b": [1, 2]}\n  ]\n}\n',
    '{\n  "manifests": [\n    {"b": [1, 2]},{"a":1}\n  ]\n}\n',
  ],
  [
    'a list of another object',
    '{"x":{"manifests":[0]},"manifests":[1]}',
    '{"x":{"manifests":[0]},"manifests":[1,{"a":1}]}',
  ],
  ['the word as a value', '{"x":"manifests","manifests":[1]}', '{"x":"manifests","manifests":[1,{"a":1}]}'],
  ['brackets in texts', String.raw`{"}":"]","manifests":["]\"}"]}`, String.raw`{"}":"]","manifests":["]\"}",{"a":1}]}`],
  ['a key with escapes', String.raw`{"manifest\u0073":[1]}`, String.raw`{"manifest\u0073":[1,{"a":1}]}`],
  ['a key that comes twice', '{"manifests":[1],"manifests":[2]}', '{"manifests":[1],"manifests":[2,{"a":1}]}'],
  [
    'numbers that parsers round',
    '{"big":12345678901234567890,"one":1.0,"manifests":[1e2]}',
    '{"big":12345678901234567890,"one":1.0,"manifests":[1e2,{"a":1}]}',
  ],
] as const) {
  test(`adds to ${what} and keeps every other byte`, () => {
    assert.equal(appendToManifests(before, [{ a: 1 }]), after);
    JSON.parse(after);
  });
}

test('adds several items in their order', () => {
  assert.equal(appendToManifests('{"manifests":[0]}', [1, 'two', null]), '{"manifests":[0,1,"two",null]}');
});

test('takes texts of megabytes', () => {
  const text = JSON.stringify({ annotations: { long: '"\\'.repeat(2_000_000) }, manifests: [0] });
  assert.equal(appendToManifests(text, [1]), text.replace('"manifests":[0]', '"manifests":[0,1]'));
});
