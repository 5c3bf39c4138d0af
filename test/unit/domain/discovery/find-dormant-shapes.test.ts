import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findDormantShapes } from '../../../../src/domain/discovery/find-dormant-shapes.ts';
import { formatReference, parseReference } from '../../../../src/domain/oci/reference.ts';
import { createKnownImages } from '../../../../src/domain/relocation/known-images.ts';
import { readYamlTree } from '../../../../src/domain/yaml/read-yaml-tree.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function find(text: string, ...known: readonly string[]): string[] {
  const images = createKnownImages(known.map(parseReference));
  return findDormantShapes({ file: 'values.yaml', tree: readYamlTree(text, 'values.yaml') }, images).map(
    ({ reference, line, path }) => `${String(line)} ${path} ${formatReference(reference)}`,
  );
}

describe('findDormantShapes', () => {
  for (const [what, fields, expected] of [
    ['a tag', 'tag: 1.10', ':1.10'],
    ['a digest', `tag: null, digest: "${DIGEST}"`, `@${DIGEST}`],
    ['a tag and a digest', `tag: v1, digest: "${DIGEST}"`, `:v1@${DIGEST}`],
    ['a tag, and a digest that is none', 'tag: v1, digest: later', ':v1'],
    ['an empty tag', 'tag: ""', undefined],
    ['the tag null', 'tag: null', undefined],
    ['the tag ~', 'tag: ~', undefined],
  ] as const) {
    it(`${expected === undefined ? 'passes over' : 'finds'} a repository with ${what} beside it`, () => {
      assert.deepEqual(
        find(`image: {registry: quay.io, repository: team/off, ${fields}}\n`),
        expected === undefined ? [] : [`1 image.repository quay.io/team/off${expected}`],
      );
    });
  }

  it('finds whole references under keys that say image', () => {
    assert.deepEqual(find('a:\n  sideImage: quay.io/team/side:1\n  other: quay.io/team/other:1\n'), [
      '2 a.sideImage quay.io/team/side:1',
    ]);
  });

  it('passes over files and source code in fields of an image, and over what is known', () => {
    assert.deepEqual(find('image: {repository: quay.io/team/values.yaml, tag: v1}\n'), []);
    assert.deepEqual(find('image: {repository: github.com/team/off.git, tag: v1}\n'), []);
    assert.deepEqual(find('image: {repository: quay.io/team/off, tag: v1}\n', 'quay.io/team/off:2'), []);
  });
});
