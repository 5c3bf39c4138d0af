import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collectManifests } from '../../../../src/domain/manifests/collect-manifests.ts';
import { findManifestImages, type FoundManifestImages } from '../../../../src/domain/manifests/find-images.ts';
import { describeImagePlace } from '../../../../src/domain/manifests/image-place.ts';
import { readManifestDocuments } from '../../../../src/domain/manifests/manifest-document.ts';

const CONFIG = 'apiVersion: kbld.k14s.io/v1alpha1\nkind: Config\nsearchRules:\n';

function find(...texts: readonly string[]): FoundManifestImages {
  return findManifestImages(
    collectManifests(texts.flatMap((text, index) => readManifestDocuments(text, `${String(index)}.yaml`))),
  );
}

function listFound(...texts: readonly string[]): readonly string[] {
  return find(...texts).images.map(({ image }) => image);
}

const OBJECT = `kind: Thing
metadata: {name: t}
image: b:1
spec:
  list: [{image: a:1}, {image: [c:1]}, {image: 7}, {image: {repository: d}}]
  other: e:1
  paths: [f:1, g:1]
  text: "image: h:1"
  json: '[{"image": "i:1"}]'
`;

describe('findManifestImages', () => {
  it('finds every text in a field called image, sorted, each once', () => {
    assert.deepEqual(listFound(OBJECT, OBJECT), ['a:1', 'b:1']);
    const [first] = find(OBJECT, 'kind: List\nitems: [{kind: Pod, image: a:1}]\n').images;
    assert.deepEqual(first?.places.map(describeImagePlace), [
      'Thing/t spec.list[0].image in 0.yaml',
      'Pod image in 1.yaml',
    ]);
  });

  for (const [rule, found] of [
    ['- {keyMatcher: {name: other}}', ['a:1', 'b:1', 'e:1']],
    ['- {keyMatcher: {path: [spec, paths, {index: 1}]}}', ['a:1', 'b:1', 'g:1']],
    ['- {keyMatcher: {path: [spec, paths, {allIndexes: true}]}}', ['a:1', 'b:1', 'f:1', 'g:1']],
    ['- {keyMatcher: {path: [spec, paths]}}', ['a:1', 'b:1']],
    ['- {keyMatcher: {path: [spec, {allIndexes: true}]}}', ['a:1', 'b:1']],
    ['- {valueMatcher: {image: f:1}}', ['a:1', 'b:1', 'f:1']],
    ['- {valueMatcher: {imageRepo: g}}', ['a:1', 'b:1', 'g:1']],
    ['- {keyMatcher: {path: [image]}, updateStrategy: {none: {}}}', ['a:1']],
    ['- {keyMatcher: {name: image}, valueMatcher: {image: a:1}, updateStrategy: {none: {}}}', ['b:1']],
    [
      '- {keyMatcher: {name: text}, updateStrategy: {yaml: {searchRules: [{keyMatcher: {name: image}}]}}}',
      ['a:1', 'b:1', 'h:1'],
    ],
    [
      '- {keyMatcher: {name: json}, updateStrategy: {json: {searchRules: [{keyMatcher: {name: image}}]}}}',
      ['a:1', 'b:1', 'i:1'],
    ],
    ['- {keyMatcher: {name: json}, updateStrategy: {json: {}}}', ['a:1', 'b:1']],
    [
      '- {keyMatcher: {name: text}, updateStrategy: {json: {searchRules: [{keyMatcher: {name: image}}]}}}',
      ['a:1', 'b:1'],
    ],
  ] as const) {
    it(`follows ${rule}`, () => {
      assert.deepEqual(listFound(OBJECT, CONFIG + rule), found);
    });
  }

  it('lists apart what only looks like an image', () => {
    const { images, likely } = find(`apiVersion: apps/v1
kind: Deployment
metadata: {name: operator}
spec:
  template:
    spec:
      containers:
      - image: example.com/operator:1
        env: [{name: RELATED_IMAGE_DB, value: "example.com/db:2"}, {name: SELF, value: "example.com/operator:1"}]
        args: ["--sidecar-image=example.com/sidecar:3"]
---
apiVersion: example.com/v1
kind: Shop
metadata: {name: s}
spec: {webImage: "example.com/web:4"}
`);
    assert.deepEqual(
      images.map(({ image }) => image),
      ['example.com/operator:1'],
    );
    assert.deepEqual(
      likely.map(({ image, field, places: [place] }) => [image, field, place?.kind, place?.path]),
      [
        ['example.com/db:2', 'env', 'Deployment', 'spec.template.spec.containers[0].env[0].value'],
        ['example.com/sidecar:3', 'arg', 'Deployment', 'spec.template.spec.containers[0].args[0]'],
        ['example.com/web:4', 'custom', 'Shop', 'spec.webImage'],
      ],
    );
  });
});
