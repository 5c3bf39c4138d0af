import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GOLDEN, readTable, relocateText } from '../../../support/relocation-fixtures.ts';

interface Row {
  readonly values: string;
  readonly prefix: string;
  readonly result: string;
}

function defectInput(name: string, file = 'values.yaml'): string {
  return readFileSync(join(GOLDEN, 'defects', name, 'input/c', file), 'utf8');
}

describe('the golden table of values', () => {
  for (const row of readTable<Row>('relocate-values.json')) {
    it(`${JSON.stringify(row.values)} under ${row.prefix}`, () => {
      // The one deliberate difference: Docker Hub has one name in all files.
      assert.equal(relocateText(row.values, row.prefix).text, row.result.replaceAll('index.docker.io', 'docker.io'));
    });
  }
});

/** Texts to replace in the input of a defect, in this order; nothing else may change. */
const FIXED: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'values-number-tag-not-relocated': [
    ['docker.io', 'acme.com'],
    ['bitnami/', 'federal/bitnami/'],
  ],
  'values-bare-repository-loses-registry': [
    ['repository: bitnami/nginx', 'repository: acme.com/federal/bitnami/nginx'],
    ['repository: nginx', 'repository: acme.com/federal/library/nginx'],
    ['repository: docker.io/nginx', 'repository: acme.com/federal/library/nginx'],
  ],
  'values-repository-with-tag-loses-tag-and-registry': [['quay.io/x', 'acme.com/federal/x']],
  'values-not-an-image-rewritten': [],
  'values-bad-digest-ignored': [
    ['docker.io', 'acme.com'],
    ['bitnami/', 'federal/bitnami/'],
  ],
  'values-list-in-list-ignored': [['quay.io/x', 'acme.com/federal/x']],
  'values-key-with-dot-fails': [['quay.io/a', 'acme.com/federal/a']],
  'values-key-with-space-fails': [['quay.io/a', 'acme.com/federal/a']],
  'values-boolean-like-key-fails': [
    ['docker.io', 'acme.com'],
    ['a/bb', 'federal/a/bb'],
  ],
  'values-anchors-fail': [
    ['docker.io', 'acme.com'],
    ['a/bb', 'federal/a/bb'],
  ],
  'values-alias-scalar-fails': [
    ['registry: *r', 'registry: acme.com'],
    ['a/bb', 'federal/a/bb'],
  ],
  'values-merge-key-fails': [['  repository: a/bb', '  registry: acme.com\n  repository: federal/a/bb']],
  'values-blank-lines-and-style-lost': [
    ['docker.io', 'acme.com'],
    ['a/bb', 'federal/a/bb'],
  ],
  'values-crlf-lost': [
    ['docker.io', 'acme.com'],
    ['a/bb', 'federal/a/bb'],
  ],
  'values-second-document-dropped': [
    ['docker.io', 'acme.com'],
    ['a/bb', 'federal/a/bb'],
  ],
  'values-null-field-not-relocated': [
    ['docker.io', 'acme.com'],
    ['  registry: \n', '  registry: acme.com\n'],
    ['bitnami/', 'federal/bitnami/'],
  ],
};

describe('defects of the Go tool in values files', () => {
  for (const [name, replacements] of Object.entries(FIXED)) {
    it(name, () => {
      const input = defectInput(name);
      const wanted = replacements.reduce((text, [from, to]) => text.replaceAll(from, to), input);
      const result = relocateText(input);
      assert.equal(result.text, wanted);
      assert.deepEqual(result.refused, []);
      assert.deepEqual(relocateText(result.text).changes, []);
    });
  }

  it('values-bare-repository-registry-only-prefix', () => {
    const input = defectInput('values-bare-repository-registry-only-prefix');
    assert.equal(relocateText(input, 'acme.com').text, input.replace('bitnami/', 'acme.com/bitnami/'));
  });

  it('values-docker-hub-prefix', () => {
    const input = defectInput('values-docker-hub-prefix');
    const wanted = input.replace('quay.io', 'acme').replace('x/yy', 'team/x/yy');
    assert.equal(relocateText(input, 'acme/team').text, wanted);
    assert.equal(relocateText(wanted, 'acme/team').text, wanted);
  });

  it('relocate-twice-not-stable', () => {
    const once = relocateText(defectInput('relocate-twice-not-stable')).text;
    assert.match(once, /registry: acme\.com\n {2}repository: federal\/pause\n/);
    assert.deepEqual(relocateText(once).changes, []);
  });
});

/** [values, wanted] with the images that the chart declares. */
function assertRelocated(values: string, wanted: string, known: readonly string[] = []): void {
  const result = relocateText(values, 'acme.com/federal', known);
  assert.equal(result.text, wanted);
  assert.deepEqual(relocateText(wanted, 'acme.com/federal', known).changes, []);
}

describe('signs of an image', () => {
  it('takes a bare repository with a pull policy, below an image key or declared', () => {
    assertRelocated(
      'a: {repository: b/c, pullPolicy: Always}\n',
      'a: {repository: acme.com/federal/b/c, pullPolicy: Always}\n',
    );
    assertRelocated('initImage:\n  repository: b/c\n', 'initImage:\n  repository: acme.com/federal/b/c\n');
    assertRelocated('images:\n- repository: b/c\n', 'images:\n- repository: acme.com/federal/b/c\n');
    assertRelocated('x:\n  repository: b/c\n', 'x:\n  repository: acme.com/federal/b/c\n', ['b/c:1']);
  });

  it('leaves source code, templates, paths and URLs alone', () => {
    for (const repository of [
      'github.com/a/b',
      'a/b.git',
      '"{{ .x }}/y"',
      '/var/lib/x',
      'oci://quay.io/x/y',
      'git@a:b/c',
    ]) {
      const values = `x: {repository: ${repository}, tag: v1}\n`;
      assertRelocated(values, values);
    }
  });

  it('leaves a map alone whose registry is no text', () => {
    const values = 'x:\n  registry: {enabled: true}\n  repository: a/b\n  tag: x\n';
    assertRelocated(values, values);
  });
});

describe('declared images', () => {
  const known = ['quay.io/x/y:1', 'nvcr.io/nvidia/driver:580', 'nginx:1.25', `a/b@sha256:${'a'.repeat(64)}`];

  it('rewrites strings that are a declared reference', () => {
    assertRelocated(
      'i: quay.io/x/y:1\nother: quay.io/x/y:2\n',
      'i: acme.com/federal/x/y:1\nother: quay.io/x/y:2\n',
      known,
    );
    assertRelocated("l: ['nginx:1.25']\n", "l: ['acme.com/federal/library/nginx:1.25']\n", known);
    const digest = `@sha256:${'a'.repeat(64)}`;
    assertRelocated(`i: a/b${digest}\n`, `i: acme.com/federal/a/b${digest}\n`, known);
    assertRelocated('i: >-\n  quay.io/x/y:1\n', 'i: >-\n  acme.com/federal/x/y:1\n', known);
  });

  it('rewrites names without tag only under a key that asks for an image', () => {
    assertRelocated('image: nginx\nname: nginx\n', 'image: acme.com/federal/library/nginx\nname: nginx\n', known);
    assertRelocated('imagePullSecrets: [nginx]\n', 'imagePullSecrets: [nginx]\n', known);
    assertRelocated('interceptor: quay.io/x/y\n', 'interceptor: acme.com/federal/x/y\n', known);
  });

  it('rewrites image beside tag, registry beside image or name', () => {
    assertRelocated('i: {image: quay.io/x/y, tag: 1}\n', 'i: {image: acme.com/federal/x/y, tag: 1}\n', known);
    assertRelocated(
      'i: {registry: quay.io, image: "x/y:1"}\n',
      'i: {registry: acme.com, image: "federal/x/y:1"}\n',
      known,
    );
    assertRelocated('i: {registry: quay.io, name: x/y}\n', 'i: {registry: acme.com, name: federal/x/y}\n', known);
    assertRelocated(
      'i: {name: nginx, tag: "1.25"}\n',
      'i: {name: acme.com/federal/library/nginx, tag: "1.25"}\n',
      known,
    );
    assertRelocated('i: {name: nginx, tag: other}\n', 'i: {name: nginx, tag: other}\n', known);
  });

  it('takes repository beside image for a folder', () => {
    const values = 'd:\n  repository: nvcr.io/nvidia\n  image: driver\n  version: "580"\n';
    assertRelocated(values, values.replace('nvcr.io/nvidia', 'acme.com/federal/nvidia'), known);
    assertRelocated(values.replace('driver', 'other'), values.replace('driver', 'other'), known);
  });

  it('leaves the key of a digest open', () => {
    const values = 'image: quay.io/x/y@sha256\nimageTag: abc\n';
    assertRelocated(values, values.replace('quay.io', 'acme.com/federal'), known);
  });

  it('reports what it found', () => {
    const { found, changes } = relocateText('a:\n  i: quay.io/x/y:1 # c\n', 'acme.com', known);
    assert.deepEqual(found, [{ registry: 'quay.io', repository: 'x/y', tag: '1' }]);
    assert.deepEqual(changes, [
      { file: 'values.yaml', line: 2, path: 'a.i', from: 'quay.io/x/y:1', to: 'acme.com/x/y:1' },
    ]);
  });
});

describe('anchors, aliases and merge keys', () => {
  it('edits a shared scalar once if all uses agree', () => {
    assertRelocated(
      'a: {registry: &r docker.io, repository: x/a}\nb: {registry: *r, repository: x/b}\n',
      'a: {registry: &r acme.com, repository: federal/x/a}\nb: {registry: *r, repository: federal/x/b}\n',
    );
  });

  it('leaves an image alone whose scalar is used for something else', () => {
    const values = 'a: {registry: &r docker.io, repository: x/a}\nb: *r\n';
    const result = relocateText(values);
    assert.equal(result.text, values);
    assert.deepEqual(result.refused, [{ file: 'values.yaml', line: 1, path: 'a.repository', image: 'docker.io/x/a' }]);
  });

  it('edits a merged image where it stands and adds what differs', () => {
    assertRelocated(
      'd: &d {registry: docker.io, repository: x/a}\ne:\n  <<: *d\n  repository: x/b\n',
      'd: &d {registry: acme.com, repository: federal/x/a}\ne:\n  <<: *d\n  repository: federal/x/b\n',
    );
    assertRelocated(
      'r: &r {registry: docker.io}\nn: &n {repository: x/a}\nimage:\r\n  <<: [*r, *n]\r\n',
      'r: &r {registry: docker.io}\nn: &n {repository: x/a}\nimage:\r\n  registry: acme.com\r\n  repository: federal/x/a\r\n  <<: [*r, *n]\r\n',
    );
  });

  it('refuses below repeated keys', () => {
    const values = 'a:\n  repository: quay.io/x/a\na:\n  repository: quay.io/x/b\nb:\n  repository: quay.io/x/c\n';
    const result = relocateText(values);
    assert.equal(result.text, values.replace('quay.io/x/c', 'acme.com/federal/x/c'));
    assert.equal(result.refused.length, 2);
  });
});
