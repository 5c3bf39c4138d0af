import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManifestContent } from '../../../../src/domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../../../src/domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../../../../src/domain/oci/manifest.ts';
import {
  MEDIA_TYPE_DOCKER_INDEX,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../../../src/domain/oci/media-types.ts';
import {
  addReferrers,
  describeReferrer,
  findSubject,
  listEntryDigests,
  readReferrersIndex,
  type ReferrersIndex,
} from '../../../../src/domain/oci/referrers-index.ts';

const SUBJECT = digestOf('subject');
const [FIRST, SECOND, THIRD] = [digestOf('1'), digestOf('2'), digestOf('3')];

const toEntry = (digest: Digest): unknown => ({ mediaType: MEDIA_TYPE_OCI_MANIFEST, digest, size: 1 });
const toBytes = (document: unknown): Buffer => Buffer.from(JSON.stringify(document));

function toContent(document: unknown): ManifestContent {
  const bytes = toBytes(document);
  const descriptor = { mediaType: MEDIA_TYPE_OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
  // What an index said of the manifest is not for the entry.
  return { descriptor: { ...descriptor, annotations: { from: 'elsewhere' }, artifactType: 'x/elsewhere' }, bytes };
}

function readIndex(document: unknown, mediaType = MEDIA_TYPE_OCI_INDEX): ReferrersIndex {
  const index = readReferrersIndex(typeof document === 'string' ? Buffer.from(document) : toBytes(document), mediaType);
  assert.ok(index);
  return index;
}

const wantedOf = (...digests: Digest[]): Map<Digest, unknown> =>
  new Map(digests.map((digest) => [digest, toEntry(digest)]));

test('the entry has the artifact type of the manifest, else that of its config, and the annotations of the manifest', () => {
  const config = { mediaType: 'x/config' };
  const annotations = { a: 'b' };
  for (const [document, expected] of [
    [
      { artifactType: 'x/own', config, annotations },
      { artifactType: 'x/own', annotations },
    ],
    [{ artifactType: '', config }, { artifactType: 'x/config' }],
    [{ config, annotations: { a: 1 } }, { artifactType: 'x/config' }],
    [{ manifests: [] }, {}],
    [[], {}],
  ] as const) {
    const content = toContent(document);
    const { mediaType, digest, size } = content.descriptor;
    assert.deepEqual(describeReferrer(content), { mediaType, digest, size, ...expected });
  }
});

test('the subject is found where there is one', () => {
  const longDigest = `sha512:${'a'.repeat(128)}`;
  assert.equal(findSubject(toBytes({ subject: { digest: SUBJECT } })), SUBJECT);
  assert.equal(findSubject(toBytes({ subject: { digest: longDigest } })), longDigest);
  for (const document of [
    {},
    null,
    7,
    [],
    { subject: null },
    { subject: SUBJECT },
    { subject: { digest: 'sha256:1' } },
  ]) {
    assert.equal(findSubject(toBytes(document)), undefined);
  }
  assert.equal(findSubject(Buffer.from('{')), undefined);
});

test('an OCI index is read by its own type, else by that which came with it', () => {
  const index = { schemaVersion: 2, manifests: [toEntry(FIRST)] };
  assert.deepEqual(listEntryDigests(readIndex(index), 'x'), [FIRST]);
  assert.deepEqual(listEntryDigests(readIndex({ ...index, mediaType: MEDIA_TYPE_OCI_INDEX }, 'text/plain'), 'x'), [
    FIRST,
  ]);
  assert.deepEqual(readIndex({ ...index, manifests: null }).entries, []);
  assert.deepEqual(listEntryDigests(readIndex(`\uFEFF${JSON.stringify(index)}`), 'x'), [FIRST]);
  for (const [document, mediaType] of [
    [index, MEDIA_TYPE_DOCKER_INDEX],
    [index, ''],
    [{ ...index, mediaType: MEDIA_TYPE_DOCKER_INDEX }, MEDIA_TYPE_OCI_INDEX],
    [{ ...index, mediaType: 7 }, MEDIA_TYPE_OCI_INDEX],
    [{ ...index, schemaVersion: 1 }, MEDIA_TYPE_OCI_INDEX],
    [{ schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX }, MEDIA_TYPE_OCI_INDEX],
    [{ ...index, manifests: {} }, MEDIA_TYPE_OCI_INDEX],
    [{}, MEDIA_TYPE_OCI_INDEX],
    [[], MEDIA_TYPE_OCI_INDEX],
    [null, MEDIA_TYPE_OCI_INDEX],
  ] as const) {
    assert.equal(readReferrersIndex(toBytes(document), mediaType), undefined, JSON.stringify(document));
  }
  assert.equal(readReferrersIndex(Buffer.from('<html>'), MEDIA_TYPE_OCI_INDEX), undefined);
  assert.equal(readReferrersIndex(Buffer.from([0x7b, 0xff]), MEDIA_TYPE_OCI_INDEX), undefined);
});

test('an entry without a digest cannot be listed', () => {
  for (const entry of [null, 'x', {}, { digest: 'sha256:1' }, { digest: 7 }]) {
    const index = readIndex({ schemaVersion: 2, manifests: [toEntry(FIRST), entry] });
    assert.throws(() => listEntryDigests(index, 'x'), { code: 'DT_MANIFEST_INVALID' });
  }
});

test('a new index has the entries in their order', () => {
  const index = addReferrers(undefined, wantedOf(SECOND, FIRST));
  assert.ok(index);
  assert.deepEqual(JSON.parse(Buffer.from(index.bytes).toString()), {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE_OCI_INDEX,
    manifests: [toEntry(SECOND), toEntry(FIRST)],
  });
  assert.deepEqual(index.descriptor, {
    mediaType: MEDIA_TYPE_OCI_INDEX,
    digest: digestOf(index.bytes),
    size: index.bytes.length,
  });
});

test('what is there already stays as it is, with unknown fields, duplicates and odd entries', () => {
  const odd = { digest: 'sha256:1' };
  const rich = { size: 1, digest: FIRST, data: 'eA==', extra: { n: 1 } };
  const text = JSON.stringify({
    manifests: [rich, null, odd, rich, toEntry(SECOND)],
    schemaVersion: 2,
    subject: odd,
    annotations: { b: '', a: '' },
    1: 'one',
  });
  const index = addReferrers(readIndex(text), wantedOf(SECOND, THIRD, FIRST));
  assert.ok(index);
  const added = JSON.stringify(toEntry(THIRD));
  const last = JSON.stringify(toEntry(SECOND));
  assert.equal(Buffer.from(index.bytes).toString(), text.replace(last, `${last},${added}`));
});

test('nothing is written when nothing is missing', () => {
  const present = readIndex({ schemaVersion: 2, manifests: [toEntry(FIRST), toEntry(SECOND)] });
  assert.equal(addReferrers(present, wantedOf(SECOND, FIRST)), undefined);
  assert.equal(addReferrers(present, new Map()), undefined);
});

test('an index that would get too large is refused', () => {
  const filler = 'x'.repeat(MAX_MANIFEST_BYTES - 200);
  const present = readIndex({ schemaVersion: 2, manifests: [], annotations: { filler } });
  assert.throws(() => addReferrers(present, wantedOf(FIRST)), { code: 'DT_REGISTRY_ERROR' });
});
