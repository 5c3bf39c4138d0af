import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatYaml } from '../../../../src/domain/yaml/format-yaml.ts';
import { readYamlTree } from '../../../../src/domain/yaml/read-yaml-tree.ts';
import { EMPTY_TABLE, isNullValue, readYamlValue, type YamlValue } from '../../../../src/domain/yaml/yaml-value.ts';

function read(text: string): YamlValue {
  const tree = readYamlTree(text, 'test');
  const [root] = tree.roots;
  return root === undefined ? EMPTY_TABLE : readYamlValue(tree, root);
}

describe('formatYaml', () => {
  const kept: readonly string[] = [
    'a: 1.10\n"b": "1.10"\n',
    'on: yes\n"on ": "yes"\n',
    'a: ~\nb:\nc: ""\n',
    'a:\n  - 0777\n  - 1_000\n  - 12:30\n  - .5\n  - -\n',
    'a: !!int "7"\nb: !custom x\n',
    'a: []\nb: {}\nc:\n  - - x\n  - y: 1\n    z: 2\n',
    'a: "x: y # z"\n"? b": "\\tc\\n\\L"\n',
  ];
  for (const text of kept) {
    it(`keeps ${JSON.stringify(text)}`, () => {
      assert.equal(formatYaml(read(text)), text);
    });
  }

  it('reads again what it wrote, whatever the layout was', () => {
    const text =
      'a: {b: [1, "2", \'it\'\'s\'], c: {x: y}}\nlong:\n  one\n  two\n\n  three\nfold: >-\n  x\n  y\nlit: |+\n  x\n\n\nurl: http://a.b/c#d\nat: "@x"\n';
    const value = read(text);
    assert.deepEqual(read(formatYaml(value)), unplain(value));
  });
});

/** A plain text of several lines comes back in quotes: that is the only way to write it on one. */
function unplain(value: YamlValue): YamlValue {
  switch (value.kind) {
    case 'text':
      return { ...value, isPlain: value.isPlain && !value.text.includes('\n') };
    case 'list':
      return { ...value, items: value.items.map(unplain) };
    case 'table':
      return {
        ...value,
        pairs: new Map([...value.pairs].map(([name, entry]) => [name, { ...entry, value: unplain(entry.value) }])),
      };
  }
}

describe('readYamlValue', () => {
  it('resolves aliases and merge keys and takes the last of repeated keys', () => {
    assert.deepEqual(
      read('a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\nd: 1\nd: 2\n'),
      read('a: {x: 1}\nb: {x: 1}\nc: {y: 2, x: 1}\nd: 2\n'),
    );
  });

  it('takes a string tag for quotes', () => {
    assert.deepEqual(read('!!str 5\n'), read('"5"\n'));
    assert.notDeepEqual(read('5\n'), read('"5"\n'));
  });

  it('knows a null by its plain text', () => {
    assert.deepEqual(['~', '', 'null', 'NULL', '"null"', '!!str ~', 'nil', '[]'].map(isNullItem), [
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

function isNullItem(text: string): boolean {
  const list = read(`- ${text}`);
  return list.kind === 'list' && list.items[0] !== undefined && isNullValue(list.items[0]);
}
