import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestHex, digestOf } from '../../../../src/domain/oci/digest.ts';
import { goArtifactPath } from '../../../../src/domain/wrap/go-artifact-paths.ts';

const DIGEST = digestOf('image');
const pathOf = (image: string, chart = 'shop', name = 'web'): string | undefined =>
  goArtifactPath({ chart, name, image, digests: [] });

test('the place of the artifacts of an image', () => {
  assert.equal(pathOf('r.example.com/a/web:1.2.3'), 'artifacts/images/shop/web/1.2.3');
  assert.equal(pathOf('r.example.com/a/web'), 'artifacts/images/shop/web/latest');
  assert.equal(pathOf(`r.example.com/a/web@${DIGEST}`), `artifacts/images/shop/web/${digestHex(DIGEST)}`);
  assert.equal(pathOf(`r.example.com/a/web:1@${DIGEST}`), 'artifacts/images/shop/web/1');
  assert.equal(pathOf('r.example.com/a/web:1', ''), 'artifacts/images/web/1', 'a wrap of single images');
});

test('names that lead elsewhere have no place', () => {
  for (const name of ['..', '.', '../x', 'a/b', 'a\\b', '.hidden', 'a b', 'a\n']) {
    assert.equal(pathOf('r.example.com/a/web:1', 'shop', name), undefined, JSON.stringify(name));
    assert.equal(pathOf('r.example.com/a/web:1', name), undefined, JSON.stringify(name));
  }
});
