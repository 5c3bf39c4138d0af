import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readManifestDocuments, toPlainTable } from '../../../../src/domain/manifests/manifest-document.ts';
import { splitDocuments } from '../../../../src/domain/manifests/split-documents.ts';

describe('splitDocuments', () => {
  it('cuts at markers, and nothing is lost', () => {
    const texts = [
      '',
      'a: 1\n',
      '---\na: 1\n---\nb: |\n  ---\n  x\n---\n',
      '# c\n--- # d\na: 1\r\n---\r\nb: 2',
      '%YAML 1.2\n# c\n---\na: 1\n---\nb: 1\n',
      'a: "x\n\n  y"\n----\n---x\n',
    ];
    const counts = [1, 1, 3, 3, 2, 1];
    for (const [index, text] of texts.entries()) {
      const documents = splitDocuments(text);
      assert.equal(documents.map((document) => document.text).join(''), text);
      assert.equal(documents.length, counts[index], JSON.stringify(text));
      for (const [at, { firstLine }] of documents.entries()) {
        const before = documents.slice(0, at).map((document) => document.text);
        assert.equal(firstLine, before.join('').split('\n').length);
      }
    }
  });
});

describe('readManifestDocuments', () => {
  for (const [text, message] of [
    ['a: 1\n---\nb: 1\n---\nc: 1\nd: [\n', /^x\.yaml is not valid YAML: .*\(line 7\)$/],
    ['a: 1\n---\n\n- a\n', /^x\.yaml is not valid: a list is no object \(line 4\)$/],
    ['a: 1\n...\nword\n', /^x\.yaml is not valid: a text is no object \(line 3\)$/],
    ['a: *b\n', /^x\.yaml uses an alias that has no anchor$/],
  ] as const) {
    it(`names file and line of ${JSON.stringify(text)}`, () => {
      assert.throws(() => readManifestDocuments(text, 'x.yaml'), { code: 'DT_YAML_INVALID', message });
    });
  }

  it('reads plain values as clusters do', () => {
    const [document] = readManifestDocuments(
      'a: yes\nb: 1\nc: 1.5\nd: ~\ne: true\nf: "1"\ng: [x, {h: False}]\ni: 1h\n',
      'x',
    );
    const [root] = document?.roots ?? [];
    assert.ok(root !== undefined);
    assert.deepEqual(toPlainTable(root.value), {
      ...{ a: 'yes', b: 1, c: 1.5, d: null, e: true, f: '1', i: '1h' },
      g: ['x', { h: false }],
    });
  });
});
