import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  contentTags,
  isInternalTag,
  locationsTag,
  placesTag,
  repositoryBasedTags,
} from '../../../../src/domain/carvel/bundle-tags.ts';
import type { Digest } from '../../../../src/domain/oci/digest.ts';
import { isTag } from '../../../../src/domain/oci/reference.ts';

const HEX = 'a'.repeat(64);
const DIGEST = `sha256:${HEX}` as Digest;

test('tags of copied content are internal, legal, and all different', () => {
  const tags = [...contentTags(DIGEST), locationsTag(DIGEST), placesTag(DIGEST), ...repositoryBasedTags('a/b', DIGEST)];
  assert.equal(new Set(tags).size, 4);
  assert.ok(tags.every((tag) => isInternalTag(tag) && isTag(tag)));
  assert.ok(!isInternalTag('1.0') && !isInternalTag(`sha256-${HEX}.sig`));
});

test('of the path of a repository the last 49 characters count, and a tag never starts with a dash', () => {
  assert.deepEqual(repositoryBasedTags('a/b', DIGEST), [`a-b-sha256-${HEX}.imgpkg`]);
  assert.deepEqual(repositoryBasedTags('x'.repeat(80), DIGEST), [`${'x'.repeat(49)}-sha256-${HEX}.imgpkg`]);
  assert.deepEqual(repositoryBasedTags(`${'x'.repeat(9)}/${'y'.repeat(48)}`, DIGEST), [
    `${'y'.repeat(48)}-sha256-${HEX}.imgpkg`,
  ]);
});

test('a digest that is too long for a tag has none', () => {
  assert.deepEqual(contentTags(`sha512:${'a'.repeat(128)}` as Digest), []);
});
