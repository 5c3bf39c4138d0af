import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { annotateImages } from '../../../../src/domain/chart/annotate-images.ts';
import { parseChartMetadata } from '../../../../src/domain/chart/chart-metadata.ts';
import { parseImagesAnnotation } from '../../../../src/domain/chart/images-annotation.ts';

const HEAD = 'apiVersion: v2 # of Helm 3\nname: shop\nversion: 1.0.0\n';
const OLD = { image: 'quay.io/team/old:1', name: 'old' };
const NEW = { image: 'quay.io/team/new:2', name: 'new' };
const NEW_LINES = '- image: quay.io/team/new:2\n      name: new\n';

function annotate(text: string, images = [NEW], key = 'images'): string {
  return Buffer.from(annotateImages(Buffer.from(text), 'Chart.yaml', key, images)).toString();
}

function readImages(text: string, key = 'images'): string[] {
  const annotation = parseChartMetadata(text, 'Chart.yaml').annotations[key] ?? '';
  return parseImagesAnnotation(annotation, key, 'shop').map(({ image, name }) => `${name} ${image}`);
}

/** Where an annotation comes to lie, and the text around it. */
const PLACES: readonly (readonly [what: string, before: string, after: string])[] = [
  ['at the end of a chart without annotations', HEAD, `${HEAD}annotations:\n  images: |\n    ${NEW_LINES}`],
  [
    'at the end of a file without a line end',
    HEAD.trimEnd(),
    `${HEAD.trimEnd()}\nannotations:\n  images: |\n    ${NEW_LINES}`,
  ],
  [
    'in front of the end of the document',
    `${HEAD}...\n`,
    `apiVersion: v2 # of Helm 3\nname: shop\nannotations:\n  images: |\n    ${NEW_LINES}version: 1.0.0\n...\n`,
  ],
  [
    'as the first of several annotations, with their indentation',
    `${HEAD}annotations: # ours\n    # why\n    a: b\nhome: x\n`,
    `${HEAD}annotations: # ours\n    images: |\n      ${NEW_LINES.replace('      name', '        name')}    # why\n    a: b\nhome: x\n`,
  ],
  [
    'below annotations without any',
    `${HEAD}annotations: # none yet\nhome: x\n`,
    `${HEAD}annotations: # none yet\n  images: |\n    ${NEW_LINES}home: x\n`,
  ],
  [
    'in the place of an empty map',
    `${HEAD}annotations: {} # none\nhome: x\n`,
    `${HEAD}annotations: # none\n  images: |\n    ${NEW_LINES}home: x\n`,
  ],
  ['in the place of null', `${HEAD}annotations: ~\n`, `${HEAD}annotations:\n  images: |\n    ${NEW_LINES}`],
  [
    'behind what the annotation has, comments and more fields included',
    `${HEAD}annotations:\n  images: |-\n    # first\n    - name: old # o\n      image: quay.io/team/old:1\n      whitelisted: true\n\n  # next\n  b: c\n`,
    `${HEAD}annotations:\n  images: |-\n    # first\n    - name: old # o\n      image: quay.io/team/old:1\n      whitelisted: true\n    ${NEW_LINES}\n  # next\n  b: c\n`,
  ],
  [
    'with the indentation of the list',
    `${HEAD}annotations:\n  images: |2\n      - {name: old, image: "quay.io/team/old:1"}\n`,
    `${HEAD}annotations:\n  images: |2\n      - {name: old, image: "quay.io/team/old:1"}\n      ${NEW_LINES.replace('      name', '        name')}`,
  ],
  [
    'in the place of a list in quotes',
    `${HEAD}annotations:\n  images: '[{image: "quay.io/team/old:1", name: old}]' # q\n  b: c\n`,
    `${HEAD}annotations:\n  images: | # q\n    - image: quay.io/team/old:1\n      name: old\n    ${NEW_LINES}  b: c\n`,
  ],
  [
    'in the place of a list in flow style',
    `${HEAD}annotations:\n  images: |\n    [{image: "quay.io/team/old:1", name: old}]\n`,
    `${HEAD}annotations:\n  images: |\n    - image: quay.io/team/old:1\n      name: old\n    ${NEW_LINES}`,
  ],
  [
    'behind a folded list, as a literal one',
    `${HEAD}annotations:\n  "images": >- # folded > so\n    - name: old # o\n      image: quay.io/team/old:1\n\n      whitelisted: true\n\n  # next\n  b: c\n`,
    `${HEAD}annotations:\n  "images": |- # folded > so\n    - name: old # o\n      image: quay.io/team/old:1\n\n      whitelisted: true\n    ${NEW_LINES}\n  # next\n  b: c\n`,
  ],
  [
    'into a folded list in flow style that has more fields',
    `${HEAD}annotations:\n  images: >2\n    [{image: "quay.io/team/old:1", name: old,\n      whitelisted: true}]\n`,
    `${HEAD}annotations:\n  images: |\n    [{image: "quay.io/team/old:1", name: old,\n      whitelisted: true}, {image: "quay.io/team/new:2", name: "new"}]\n`,
  ],
  [
    'behind a list in quotes with more fields and comments',
    `${HEAD}annotations:\n  images: "- image: quay.io/team/old:1 # o\\n  name: old\\n  whitelisted: true\\n"\n`,
    `${HEAD}annotations:\n  images: |\n    - image: quay.io/team/old:1 # o\n      name: old\n      whitelisted: true\n    ${NEW_LINES}`,
  ],
  [
    'into a list in flow style and quotes that has more fields',
    `${HEAD}annotations:\n  images: '[{image: "quay.io/team/old:1", name: old, whitelisted: true}]'\n`,
    `${HEAD}annotations:\n  images: '[{image: "quay.io/team/old:1", name: old, whitelisted: true}, {image: "quay.io/team/new:2", name: "new"}]'\n`,
  ],
  [
    'in the place of an empty annotation',
    `${HEAD}annotations:\n  images: # soon\n  b: c\n`,
    `${HEAD}annotations:\n  images: | # soon\n    ${NEW_LINES}  b: c\n`,
  ],
  [
    'in a map in flow style',
    `${HEAD}annotations: {a: b}\n`,
    `${HEAD}annotations: {images: "- image: quay.io/team/new:2\\n  name: new\\n", a: b}\n`,
  ],
];

describe('annotateImages', () => {
  for (const [what, before, after] of PLACES) {
    it(`writes ${what}`, () => {
      const text = annotate(before);
      assert.equal(text, after);
      assert.deepEqual(readImages(text), [...readImages(before), 'new quay.io/team/new:2']);
      assert.equal(annotate(text), text, 'the second time nothing is missing');
    });
    it(`writes ${what}, in a Windows file with a byte order mark`, () => {
      const asWindows = (text: string): string => `\uFEFF${text.replaceAll('\n', '\r\n')}`;
      assert.equal(annotate(asWindows(before)), asWindows(after));
    });
  }

  it('gives the same bytes back when nothing is missing', () => {
    const bytes = Buffer.from(`${HEAD}annotations:\n  images: |\n    - {image: "quay.io/team/new:2", name: other}\n`);
    assert.equal(annotateImages(bytes, 'Chart.yaml', 'images', [NEW]), bytes);
  });

  it('writes names that YAML would read as numbers in quotes, and keys that need them', () => {
    const text = annotate(HEAD, [{ image: 'quay.io/team/8:1', name: '8' }], 'a: b');
    assert.deepEqual(readImages(text, 'a: b'), ['8 quay.io/team/8:1']);
    assert.match(text, /name: "8"/);
  });

  it('keeps other annotations of images', () => {
    const before = `${HEAD}annotations:\n  artifacthub.io/images: |\n    - image: quay.io/team/old:1\n      name: old\n`;
    const text = annotate(before, [OLD, NEW]);
    assert.deepEqual(readImages(text), ['old quay.io/team/old:1', 'new quay.io/team/new:2']);
    assert.deepEqual(readImages(text, 'artifacthub.io/images'), ['old quay.io/team/old:1']);
  });

  it('refuses what leaves no room', () => {
    const texts = [
      `{apiVersion: v2, name: shop, version: 1.0.0}\n`,
      `x-list: &list |\n  - image: quay.io/team/old:1\n${HEAD}annotations:\n  images: *list\n`,
      `x-map: &map {a: b}\n${HEAD}annotations: *map\n`,
      `${HEAD}annotations:\n  images: "a: b"\n`,
    ];
    for (const text of texts) assert.throws(() => annotate(text), { code: 'DT_ANNOTATION_INVALID' }, text);
  });
});
