import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AnnotatedImage } from '../../../../src/domain/carvel/image-origins.ts';
import { readManifestDocuments } from '../../../../src/domain/manifests/manifest-document.ts';
import { rewriteDocument, type RewriteOptions } from '../../../../src/domain/manifests/rewrite-document.ts';
import { DEFAULT_SEARCH_RULE, type SearchRule } from '../../../../src/domain/manifests/search-rule.ts';
import { parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';

const KEY = 'kbld.k14s.io/images';
const ANNOTATION = '- origins:\n  - resolved:\n      tag: "1"\n      url: a:1\n  url: r.io/a@sha256:00\n';
const NEW: AnnotatedImage = { url: 'r.io/a@sha256:00', origins: [{ resolved: { tag: '1', url: 'a:1' } }] };

function rewrite(text: string, options: Partial<RewriteOptions> = {}): string {
  return rewriteAll(text, options).text;
}

/** `a:1` becomes NEW, every other image stays. */
function rewriteAll(
  text: string,
  options: Partial<RewriteOptions> = {},
): { text: string; inPlace: readonly boolean[] } {
  const results = readManifestDocuments(text, 'x.yaml').map((document) =>
    rewriteDocument(document, {
      rules: [DEFAULT_SEARCH_RULE],
      findImage: (image) => (image === 'a:1' ? NEW : undefined),
      annotates: false,
      form: 'as-written',
      ...options,
    }),
  );
  return { text: results.map((result) => result.text).join(''), inPlace: results.map(({ isInPlace }) => isInPlace) };
}

describe('rewriteDocument, as written', () => {
  it('changes the images and nothing else', () => {
    const text = `# head

---
kind: Pod  # a pod
spec:
    containers:
    - image: "a:1"   # quoted
    - {name: b, image: 'a:1'}
    - image: >-
        a:1
    - image: b:2
    - image: {repository: a, tag: "1"}
    - image: 5
# between
--- # marker
kind: List
items:
- image: a:1
`;
    assert.equal(rewrite(text), text.replaceAll(/a:1/g, NEW.url));
  });

  it('begins every document with a marker, and leaves empty ones out', () => {
    assert.equal(rewrite('a: 1'), '---\na: 1\n');
    assert.equal(rewrite('---\n---\n\n---\na: 1\n---\n{}\n--- ~\n'), '---\na: 1\n');
    assert.equal(rewrite('a: 1\n---\n# c\n---\nb: 2\n'), '---\na: 1\n# c\n---\nb: 2\n');
    assert.equal(rewrite('{"image":"a:1"}'), `---\n{"image":"${NEW.url}"}\n`);
    assert.equal(rewrite('%YAML 1.2\n---\na: 1\n'), '%YAML 1.2\n---\na: 1\n');
    assert.equal(rewrite('a: 1\n...\nimage: a:1\n'), `---\na: 1\n...\nimage: ${NEW.url}\n`);
  });

  it('keeps line ends', () => {
    assert.equal(
      rewrite('metadata:\r\n  name: x\r\nimage: a:1\r\n', { annotates: true }).replaceAll('\r\n', '~'),
      `---\nmetadata:~  annotations:~    ${KEY}: |~${indent(ANNOTATION, 6).replaceAll('\n', '~')}  name: x~image: ${NEW.url}~`,
    );
  });

  const layouts: readonly (readonly [what: string, text: string])[] = [
    ['annotations in a block', 'metadata:\n  annotations:\n    b: c # d\n    a: b\n  name: x\nimage: a:1\n'],
    ['annotations in a flow', 'metadata: {annotations: {b: c}, name: x}\nimage: a:1\n'],
    ['no annotations', 'metadata:\n  name: x\nimage: a:1\n'],
    ['no metadata', 'image: a:1\n'],
    ['empty metadata', 'metadata:\nimage: a:1\n'],
    ['null metadata', 'metadata: ~ # none\nimage: a:1\n'],
    ['empty annotations', 'metadata:\n  annotations: {}\nimage: a:1\n'],
    ['an old annotation', `metadata:\n  annotations:\n    ${KEY}: |\n      - url: x\n    a: b\nimage: a:1\n`],
    ['an old annotation in quotes', `metadata:\n  annotations:\n    ${KEY}: "- url: x\\n"\nimage: a:1\n`],
    ['JSON', '{"metadata":{"name":"x"},"image":"a:1"}'],
    ['pretty JSON', '{\n  "metadata": {\n    "name": "x"\n  },\n  "image": "a:1"\n}\n'],
  ];
  for (const [what, text] of layouts) {
    it(`annotates: ${what}`, () => {
      const { text: result, inPlace } = rewriteAll(text, { annotates: true });
      assert.deepEqual(inPlace, [true]);
      const before = parseYaml(text, what) as Parsed;
      const after = parseYaml(result, what) as Parsed;
      const { annotations = {} } = after.metadata ?? {};
      assert.equal(annotations?.[KEY], ANNOTATION);
      const kept = { ...before.metadata?.annotations };
      assert.deepEqual({ ...annotations }, { ...kept, [KEY]: ANNOTATION });
      assert.equal(after.metadata?.name, before.metadata?.name);
      assert.equal(after.image, NEW.url);
      // Whatever was a comment still is one.
      for (const [comment] of text.matchAll(/# .*/g)) assert.ok(result.includes(comment));
    });
  }

  it('annotates the items of a list, not the list', () => {
    const result = parseYaml(
      rewrite('kind: List\nitems:\n- kind: Pod\n  image: a:1\n- kind: Pod\n  image: b\n', { annotates: true }),
      'x',
    ) as {
      readonly metadata?: unknown;
      readonly items: readonly Parsed[];
    };
    assert.equal(result.metadata, undefined);
    assert.equal(result.items[0]?.metadata?.annotations?.[KEY], ANNOTATION);
    assert.equal(result.items[1]?.metadata, undefined);
  });

  it('does not annotate an object of which nothing is known', () => {
    const text = '---\nimage: a:1\n';
    const result = rewrite(text, { annotates: true, findImage: () => ({ url: 'r.io/a@sha256:00', origins: [] }) });
    assert.equal(result, '---\nimage: r.io/a@sha256:00\n');
  });

  it('edits aliases where they stand', () => {
    assert.equal(
      rewrite('x: &i a:1\nimage: *i\nc: &c {image: a:1}\nd: *c\n'),
      `---\nx: &i a:1\nimage: ${NEW.url}\nc: &c {image: ${NEW.url}}\nd: *c\n`,
    );
  });

  it('prints anew what cannot be edited in place', () => {
    const { text, inPlace } = rewriteAll('# c\nimage: b\nimage: a:1\n');
    assert.deepEqual(inPlace, [false]);
    assert.equal(text, `---\nimage: ${NEW.url}\n`);
    const shared = rewriteAll('# c\ncommon: &m {name: x}\nmetadata: *m\nimage: a:1\n', { annotates: true });
    assert.deepEqual(shared.inPlace, [false]);
    assert.deepEqual((parseYaml(shared.text, 'x') as Record<string, unknown>)['common'], { name: 'x' });
  });

  it('edits documents in texts', () => {
    const rules: readonly SearchRule[] = [
      { key: { name: 'y' }, update: { kind: 'yaml', searchRules: [DEFAULT_SEARCH_RULE] } },
      { key: { name: 'j' }, update: { kind: 'json', searchRules: [DEFAULT_SEARCH_RULE] } },
    ];
    const text = `---
y: |
  # inner
  image: a:1  # b
  ---
  - image: a:1
j: '{ "image": "a:1" }'
`;
    assert.equal(rewrite(text, { rules }), text.replaceAll('a:1', NEW.url));
    const broken = '---\nj: "image: a:1"\ny: "a: ["\n';
    assert.equal(rewrite(broken, { rules }), broken);
  });
});

describe('rewriteDocument, sorted', () => {
  it('prints as kbld does, and scalars as they were written', () => {
    const text = `kind: Pod # c
b: [[1, [2]], [], {}, {y: 1, x: 2}]
a: {"k": 'a: b', n: N, o: 0644, f: 1.10, "t": "true", nothing: , tilde: ~, multi: "x\\ny\\n"}
image: 'a:1'
`;
    assert.equal(
      rewrite(text, { form: 'sorted' }),
      `---
a:
  f: 1.10
  k: 'a: b'
  multi: |
    x
    y
  "n": N
  nothing: null
  o: 0644
  t: "true"
  tilde: null
b:
- - 1
  - - 2
- []
- {}
- x: 2
  "y": 1
image: ${NEW.url}
kind: Pod
`,
    );
  });

  it('takes lists of objects apart, but no other lists', () => {
    const list = 'apiVersion: v1\nkind: List\nitems: [{kind: A}, {kind: B}]\n';
    assert.equal(rewrite(list, { form: 'sorted' }), '---\nkind: A\n---\nkind: B\n');
    const custom = '---\nitems:\n- kind: A\nkind: Menu\n';
    assert.equal(rewrite(custom, { form: 'sorted' }), custom);
  });
});

interface Parsed {
  readonly metadata?: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> | null } | null;
  readonly image: string;
}

function indent(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(columns));
}
