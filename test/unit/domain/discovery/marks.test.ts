import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyLiteralMarks, applyValueMarks } from '../../../../src/domain/discovery/apply-marks.ts';
import { findLiteralMarks } from '../../../../src/domain/discovery/find-literal-marks.ts';
import { findEmptyMarks, findValueMarks, type ValueMark } from '../../../../src/domain/discovery/find-value-marks.ts';
import { chooseMarks } from '../../../../src/domain/discovery/marks.ts';
import { listHeads, nameOf } from '../../../../src/domain/discovery/reference-heads.ts';
import { readYamlTree } from '../../../../src/domain/yaml/read-yaml-tree.ts';

const marks = chooseMarks([]);

function write(found: readonly ValueMark[]): string | undefined {
  return applyValueMarks(found.map((mark, index) => ({ mark, text: marks.write(index) }))).get('v');
}

function mark(text: string, references: readonly string[]): string | undefined {
  return write(findValueMarks([{ file: 'v', tree: readYamlTree(text, 'v') }], references));
}

describe('chooseMarks', () => {
  it('chooses letters that occur nowhere', () => {
    assert.equal(marks.write(3), 'q3z');
    assert.equal(chooseMarks(['x q12z', 'qx']).write(3), 'qx3z');
  });

  it('reads its marks again', () => {
    assert.equal(marks.readHead('q12zdocker.io/q3za'), 12);
    assert.equal(marks.readHead('aq12z'), undefined);
    assert.equal(marks.strip('q12zdocker.io/q3za'), 'docker.io/a');
  });

  it('keeps marked addresses hosts, and nothing else', () => {
    for (const [text, host] of [
      ['q1z10.0.0.1/a:1', 'q1z10.0.0.1.qz/a:1'],
      ['q1z10.0.0.1:5000/q2za/b:1', 'q1z10.0.0.1.qz:5000/q2za/b:1'],
      ['q1z10.0.0.1.nip.io/a', 'q1z10.0.0.1.nip.io/a'],
      ['q1z10.0.0/a 10.0.0.1/a', 'q1z10.0.0/a 10.0.0.1/a'],
    ] as const) {
      assert.equal(marks.toHosts(text), host);
      assert.equal(marks.strip(host), marks.strip(text));
      assert.ok(URL.canParse(`https://${host.split(/[/ ]/)[0] ?? ''}`) === !text.includes(' '));
    }
    assert.equal(chooseMarks(['x.qz']).write(3), 'qx3z');
  });
});

describe('reference heads', () => {
  it('lists what a reference can begin with', () => {
    assert.deepEqual(listHeads('q.io:5000/a/b:1'), [
      'q.io',
      'q.io:5000',
      'q.io:5000/',
      'q.io:5000/a',
      'q.io:5000/a/',
      'q.io:5000/a/b',
      'q.io:5000/a/b:1',
    ]);
    assert.equal(nameOf('q.io:5000/a:1@sha256:x'), 'q.io:5000/a');
  });
});

describe('value marks', () => {
  it('go in front of heads only, whatever the style', () => {
    assert.equal(
      mark('a: quay.io # c\nb: "quay.io/x"\nc: \'quay.io/x:1\'\nd: x\ne: quay.iox\nf: 1\n', ['quay.io/x:1']),
      'a: q0zquay.io # c\nb: "q1zquay.io/x"\nc: \'q2zquay.io/x:1\'\nd: x\ne: quay.iox\nf: 1\n',
    );
  });

  it('go inside of longer texts, several at once', () => {
    assert.equal(
      mark(
        'a: |\n  image: quay.io/x:1\n  other: quay.io/xy:1\n  again: quay.io/x:2\nb: "docker.io/{{ .Values.n }}"\n',
        ['quay.io/x:1', 'docker.io/y'],
      ),
      'a: |\n  image: q0zquay.io/x:1\n  other: quay.io/xy:1\n  again: q1zquay.io/x:2\nb: "q2zdocker.io/{{ .Values.n }}"\n',
    );
  });

  it('are left out below repeated keys', () => {
    assert.equal(mark('a: quay.io\na: quay.io\n', ['quay.io/x:1']), undefined);
  });

  it('fill empty values under keys that ask for a registry', () => {
    const tree = readYamlTree('registry:\nimageRegistry: ""\nhub: ~\ntag: ""\nrepository: x\n', 'v');
    assert.equal(
      write(findEmptyMarks([{ file: 'v', tree }])),
      'registry: q0z\nimageRegistry: "q1z"\nhub: q2z\ntag: ""\nrepository: x\n',
    );
  });
});

describe('literal marks', () => {
  it('go to the longest head that stands somewhere, as a word', () => {
    const texts = [
      { file: 'a', text: '{{ include "busybox.name" . }} image: busybox:{{ .t }}\n' },
      { file: 'b', text: '# my-busybox busybox-x\n' },
    ];
    const found = findLiteralMarks(texts, ['busybox:1.36'], new Set());
    assert.deepEqual(
      found.map(({ file, origin }) => [file, origin.line, origin.text]),
      [['a', 1, 'busybox']],
    );
    const changed = applyLiteralMarks(
      texts,
      found.map((item) => ({ mark: item, text: 'q0z' })),
    );
    assert.deepEqual([...changed], [['a', '{{ include "busybox.name" . }} image: q0zbusybox:{{ .t }}\n']]);
  });

  it('go to a shorter head in a later round', () => {
    const texts = [{ file: 'a', text: 'quay.io/x quay.io/{{ .n }}' }];
    const places = (tried: readonly string[]): string[] =>
      findLiteralMarks(texts, ['quay.io/x:1'], new Set(tried)).map(
        ({ offset, origin }) => `${String(offset)} ${origin.text}`,
      );
    assert.deepEqual(places([]), ['0 quay.io/x']);
    assert.deepEqual(places(['quay.io/x']), ['0 quay.io', '10 quay.io']);
  });
});
