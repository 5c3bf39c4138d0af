import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDtError } from '../../../../src/domain/errors.ts';
import { applyYamlEdits } from '../../../../src/domain/yaml/apply-yaml-edits.ts';
import { readYamlTree, resolveYamlScalar } from '../../../../src/domain/yaml/read-yaml-tree.ts';
import {
  effectiveEntries,
  formatYamlPath,
  type YamlNode,
  type YamlScalar,
  type YamlTree,
} from '../../../../src/domain/yaml/yaml-tree.ts';

function scalarAt(tree: YamlTree, ...path: readonly (string | number)[]): YamlScalar {
  let node: YamlNode | undefined = tree.roots[0];
  for (const part of path) {
    if (node?.kind === 'map') node = effectiveEntries(node).get(String(part))?.pair.value;
    else if (node?.kind === 'sequence') node = node.items[Number(part)];
  }
  assert.ok(node?.kind === 'scalar');
  return node;
}

/** Sets the scalar `a` (or at the path given); undefined if the edit is refused. */
function setScalar(text: string, value: string, ...path: readonly (string | number)[]): string | undefined {
  const tree = readYamlTree(text, 'test');
  const scalar = scalarAt(tree, ...(path.length === 0 ? ['a'] : path));
  const result = applyYamlEdits(tree, [[{ kind: 'set-scalar', scalar, value }]]);
  if (result.refused.length > 0) assert.equal(result.text, text);
  return result.refused.length === 0 ? result.text : undefined;
}

describe('set-scalar', () => {
  const cases: readonly (readonly [string, string, string, string | undefined])[] = [
    ['plain', 'a: x # c\n', 'y/z:1', 'a: y/z:1 # c\n'],
    ['plain that must be quoted', 'a: x\n', 'true', 'a: "true"\n'],
    ['a boolean of YAML 1.1 only', 'a: x\n', 'on', 'a: "on"\n'],
    ['a number of YAML 1.1 only', 'a: x\n', '12:30', 'a: "12:30"\n'],
    ['text with a comment sign', 'a: x\n', 'y #z', 'a: "y #z"\n'],
    ['flow', '{a: x, b: [1, 2]}\n', 'ww', '{a: ww, b: [1, 2]}\n'],
    ['flow that must be quoted', '{a: x}\n', 'y, z', '{a: "y, z"}\n'],
    ['single quotes', "a: 'x''s'\n", "it's", "a: 'it''s'\n"],
    ['double quotes', 'a: "x"\n', 'y"\\', 'a: "y\\"\\\\"\n'],
    ['a number', 'a: 1.10\n', 'ww', 'a: ww\n'],
    ['null', 'a: ~\n', 'ww', 'a: ww\n'],
    ['nothing', 'a:\nb: 1\n', 'ww', 'a: ww\nb: 1\n'],
    ['nothing with a blank', 'a: \r\nb: 1\r\n', 'ww', 'a: ww\r\nb: 1\r\n'],
    ['nothing with a comment', 'a:   # c\n', 'ww', 'a: ww   # c\n'],
    ['nothing at the end', 'a:', 'ww', 'a: ww'],
    ['nothing behind a quoted key', '"a" :\n', 'ww', '"a" : ww\n'],
    ['nothing in flow', '{a: , b: 1}', 'ww', '{a: ww , b: 1}'],
    ['nothing with an anchor', 'a: &x\nb: *x\n', 'ww', 'a: &x ww\nb: *x\n'],
    ['no colon in flow', '{a, b: 1}', 'ww', undefined],
    ['a literal block', 'a: |\n   x\n\nb: 1\n', 'ww', 'a: |\n   ww\n\nb: 1\n'],
    ['a folded block', 'a: >-\r\n  x\r\nb: 1\r\n', 'ww', 'a: >-\r\n  ww\r\nb: 1\r\n'],
    ['many lines in a literal block', 'a: |+\r\n  x\r\n\r\n', 'y\nz', 'a: |+\r\n  y\r\n  z\r\n\r\n'],
    ['an empty block', 'a: |\nb: 1\n', 'ww', undefined],
    ['a tag that does not fit', 'a: !!null\n', 'ww', undefined],
    ['a repeated key', 'a: 1\na: 2\n', 'ww', undefined],
    ['a byte order mark', '\ufeffa: x\n', 'ww', '\ufeffa: ww\n'],
    ['a plain scalar of two lines', 'a: x\n  z\nb: 1\n', 'ww', 'a: ww\nb: 1\n'],
    ['characters outside the BMP', 'b: "😀"\na: "😀x" # 😀\n', 'ww', 'b: "😀"\na: "ww" # 😀\n'],
  ];
  for (const [name, text, value, wanted] of cases) {
    it(name, () => {
      assert.equal(setScalar(text, value), wanted);
    });
  }

  it('works in a later document', () => {
    const tree = readYamlTree('a: x\n---\n- b\n', 'test');
    const root = tree.roots[1];
    const scalar = root?.kind === 'sequence' ? root.items[0] : undefined;
    assert.ok(scalar?.kind === 'scalar');
    assert.equal(applyYamlEdits(tree, [[{ kind: 'set-scalar', scalar, value: 'ww' }]]).text, 'a: x\n---\n- ww\n');
  });
});

describe('splice-scalar', () => {
  const splice = (text: string, from: string, replacement: string): string | undefined => {
    const tree = readYamlTree(text, 'test');
    const scalar = scalarAt(tree, 'a');
    const start = scalar.text.indexOf(from);
    assert.notEqual(start, -1);
    const splices = [{ start, end: start + from.length, replacement }];
    const result = applyYamlEdits(tree, [[{ kind: 'splice-scalar', scalar, splices }]]);
    return result.refused.length === 0 ? result.text : undefined;
  };
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['a: |\n  - i: xx # c\n\n  - xx\n', 'xx', 'a: |\n  - i: Y # c\n\n  - xx\n'],
    ['a: "- i: \\x41xx\\n- xx\\\n  z"\n', 'xx', 'a: "- i: \\x41Y\\n- xx\\\n  z"\n'],
    ["a: '- it''s\n\n  - xx'\n", 'xx', "a: '- it''s\n\n  - Y'\n"],
    ['a: >\n  - b\n    xx\n  - c\n', 'xx', 'a: >\n  - b\n    Y\n  - c\n'],
    ['a: b xx\n  c\n', 'xx', 'a: b Y\n  c\n'],
    ['a: |2\n    xx\r\n  b\n', 'xx', 'a: |2\n    Y\r\n  b\n'],
    ['a: "\\u0041\\U0001F600\\e\\_xx"\n', 'xx', 'a: "\\u0041\\U0001F600\\e\\_Y"\n'],
  ];
  for (const [text, from, wanted] of cases) {
    it(JSON.stringify(text), () => {
      assert.equal(splice(text, from, 'Y'), wanted);
    });
  }

  it('refuses a range that ends with a blank', () => {
    assert.equal(splice('a: |\n  x y\n', 'x ', 'Y'), undefined);
  });
});

describe('applyYamlEdits', () => {
  it('refuses an edit that would make something else read differently', () => {
    assert.equal(setScalar('a: >-\n  x\n', 'y\n  z: 1'), undefined);
  });

  it('applies or refuses a group as a whole', () => {
    const text = 'a: 1\n{b}: 1\nc: x\nd: x\nc2: x\nd: y\n';
    const tree = readYamlTree(text.replace('{b}', 'b'), 'test');
    const set = (key: string) => ({ kind: 'set-scalar' as const, scalar: scalarAt(tree, key), value: 'new' });
    const result = applyYamlEdits(tree, [[set('a')], [set('c'), set('d')], [set('c2')]]);
    assert.deepEqual(result.refused, [1]);
    assert.equal(result.text, 'a: new\nb: 1\nc: x\nd: x\nc2: new\nd: y\n');
  });

  it('refuses the later of two groups that contradict each other', () => {
    const tree = readYamlTree('a: x\n', 'test');
    const scalar = scalarAt(tree, 'a');
    const groups = ['ww', 'ww', 'z'].map((value) => [{ kind: 'set-scalar' as const, scalar, value }]);
    assert.deepEqual(applyYamlEdits(tree, groups), { text: 'a: ww\n', refused: [2] });
  });

  it('replaces an alias and keeps the anchor', () => {
    const tree = readYamlTree('a: &x v\nb: [*x, *x]\n', 'test');
    const alias = tree.aliases[1];
    assert.ok(alias !== undefined);
    assert.equal(applyYamlEdits(tree, [[{ kind: 'set-alias', alias, value: 'w' }]]).text, 'a: &x v\nb: [*x, w]\n');
  });
});

describe('readYamlTree', () => {
  it('knows values, paths and styles', () => {
    const tree = readYamlTree('on:\n  "a.b": [1, {c: ~}]\n', 'test');
    const scalar = scalarAt(tree, 'on', 'a.b', 1, 'c');
    assert.equal(resolveYamlScalar(tree, scalar.eventIndex), null);
    assert.equal(formatYamlPath(scalar.path), 'on."a.b"[1].c');
    assert.equal(scalar.isInFlow, true);
  });

  it('resolves merge keys: own keys first, then the first source', () => {
    const tree = readYamlTree('x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  a: 0\n  <<: [*x, *y]\n', 'test');
    const root = tree.roots[0];
    const map = root?.kind === 'map' ? root.pairs[2]?.value : undefined;
    assert.ok(map?.kind === 'map');
    const texts = [...effectiveEntries(map)].map(([key, { pair, isMerged }]) => [
      key,
      pair.value.kind === 'scalar' ? pair.value.text : '',
      isMerged,
    ]);
    assert.deepEqual(texts, [
      ['a', '0', false],
      ['b', '1', true],
      ['c', '2', true],
    ]);
  });

  it('takes a flow collection that is not indented, as Helm does', () => {
    const text = 'k:\n  m: {\n  # c\n  x: "p\nq",\n}\n  a: x\n';
    assert.equal(setScalar(text, 'ww', 'k', 'a'), text.replace('a: x', 'a: ww'));
    assert.equal(setScalar(text, 'ww', 'k', 'm', 'x'), text.replace('p\nq', 'ww'));
  });

  for (const text of ['a: [', 'a: *x\n', 'a: "x\n', '\tb: 1\n', 'a: b: c\n']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => readYamlTree(text, 'test'),
        (error) => isDtError(error, 'DT_YAML_INVALID'),
      );
    });
  }

  it('stands a bomb of aliases and merges', () => {
    const lines = ['a0: &a0 {image: x}'];
    for (let level = 1; level < 60; level++) {
      const last = `*a${String(level - 1)}`;
      lines.push(`a${String(level)}: &a${String(level)} {<<: [${last}, ${last}], x: [${last}, ${last}]}`);
    }
    const tree = readYamlTree(`${lines.join('\n')}\n`, 'test');
    const root = tree.roots[0];
    const last = root?.kind === 'map' ? root.pairs.at(-1)?.value : undefined;
    assert.ok(last?.kind === 'map');
    assert.deepEqual([...effectiveEntries(last).keys()], ['x', 'image']);
  });
});
