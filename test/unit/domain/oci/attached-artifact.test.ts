import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachedTag, isAttachedTag, metadataTag, referrersTag } from '../../../../src/domain/oci/attached-artifact.ts';
import { digestOf, parseDigest } from '../../../../src/domain/oci/digest.ts';
import { isTag } from '../../../../src/domain/oci/reference.ts';

const SUBJECT = digestOf('subject');
const HEX = SUBJECT.slice('sha256:'.length);
const LONG = parseDigest(`sha512:${'a'.repeat(128)}`);

test('tags that are made of a digest', () => {
  assert.equal(referrersTag(SUBJECT), `sha256-${HEX}`);
  assert.equal(attachedTag(SUBJECT, 'sig'), `sha256-${HEX}.sig`);
  assert.equal(referrersTag(LONG), `sha512-${'a'.repeat(64)}`, 'cut, as the specification has it');
  assert.ok(isTag(referrersTag(LONG)));
});

test('an artifact may have a tag of its own subject or one of metadata, and no other', () => {
  for (const suffix of ['sig', 'att', 'sbom', 'metadata'] as const) {
    assert.ok(isAttachedTag(attachedTag(SUBJECT, suffix), SUBJECT), suffix);
    assert.ok(!isAttachedTag(attachedTag(digestOf('other'), suffix), SUBJECT), suffix);
  }
  assert.ok(isAttachedTag(metadataTag('1.2.3'), SUBJECT));
  for (const tag of ['latest', '1.2.3', referrersTag(SUBJECT), `sha256-${HEX}.exe`]) {
    assert.ok(!isAttachedTag(tag, SUBJECT), tag);
  }
});
