import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManifestContent } from '../../../../src/domain/oci/descriptor.ts';
import { digestOf, matchesDigest, type Digest } from '../../../../src/domain/oci/digest.ts';
import { filterIndex, type ChildFate } from '../../../../src/domain/oci/filter-index.ts';
import { MEDIA_TYPE_DOCKER_INDEX, MEDIA_TYPE_OCI_MANIFEST } from '../../../../src/domain/oci/media-types.ts';

function content(document: unknown, mediaType: string): ManifestContent {
  const bytes = Buffer.from(JSON.stringify(document));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}

const CHILDREN = ['a', 'b', 'c'].map((name) => ({
  mediaType: MEDIA_TYPE_OCI_MANIFEST,
  digest: digestOf(name),
  size: 1,
  extra: { kept: name },
}));
const INDEX = content(
  { schemaVersion: 2, mediaType: MEDIA_TYPE_DOCKER_INDEX, manifests: CHILDREN, annotations: { x: 'y' }, unknown: [1] },
  MEDIA_TYPE_DOCKER_INDEX,
);

test('keeps the chosen children in their order, and everything else as it was', () => {
  const filtered = filterIndex(INDEX, (digest) => (digest === digestOf('b') ? undefined : 'same'));
  assert.deepEqual(JSON.parse(Buffer.from(filtered.bytes).toString()), {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE_DOCKER_INDEX,
    manifests: [CHILDREN[0], CHILDREN[2]],
    annotations: { x: 'y' },
    unknown: [1],
  });
  assert.equal(filtered.descriptor.mediaType, MEDIA_TYPE_DOCKER_INDEX);
  assert.equal(filtered.descriptor.size, filtered.bytes.length);
  assert.ok(matchesDigest(filtered.bytes, filtered.descriptor.digest));
  assert.notEqual(filtered.descriptor.digest, INDEX.descriptor.digest);
});

test('gives the same bytes for the same choice', () => {
  const keepFirst = (digest: Digest): ChildFate => (digest === digestOf('a') ? 'same' : undefined);
  assert.deepEqual(filterIndex(INDEX, keepFirst), filterIndex(INDEX, keepFirst));
  assert.deepEqual(
    (JSON.parse(Buffer.from(filterIndex(INDEX, () => undefined).bytes).toString()) as { manifests: unknown }).manifests,
    [],
  );
});

test('an index of which all children stay is the very same', () => {
  assert.equal(
    filterIndex(INDEX, () => 'same'),
    INDEX,
  );
});

test('a child that becomes another keeps everything but digest and size', () => {
  const filtered = filterIndex(INDEX, (digest) =>
    digest === digestOf('b') ? { digest: digestOf('new'), size: 7 } : 'same',
  );
  assert.deepEqual((JSON.parse(Buffer.from(filtered.bytes).toString()) as { manifests: unknown[] }).manifests, [
    CHILDREN[0],
    { ...CHILDREN[1], digest: digestOf('new'), size: 7 },
    CHILDREN[2],
  ]);
});

test('leaves an image manifest alone', () => {
  const image = content({ schemaVersion: 2, config: CHILDREN[0], layers: [] }, MEDIA_TYPE_OCI_MANIFEST);
  assert.equal(
    filterIndex(image, () => undefined),
    image,
  );
});
