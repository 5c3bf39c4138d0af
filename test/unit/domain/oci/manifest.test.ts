import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManifestContent } from '../../../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import {
  attestedDigest,
  detectManifestMediaType,
  isAttestation,
  manifestSuccessors,
  MAX_MANIFEST_BYTES,
  parseManifest,
} from '../../../../src/domain/oci/manifest.ts';
import {
  MEDIA_TYPE_DOCKER_INDEX,
  MEDIA_TYPE_DOCKER_MANIFEST,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../../../src/domain/oci/media-types.ts';

const BLOB = { mediaType: 'application/octet-stream', digest: digestOf('blob'), size: 4 };
const IMAGE = { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_MANIFEST, config: BLOB, layers: [BLOB] };
const INDEX = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPE_OCI_INDEX,
  manifests: [{ ...BLOB, mediaType: MEDIA_TYPE_OCI_MANIFEST, platform: { os: 'linux', architecture: 'amd64' } }],
};

function content(document: unknown, mediaType = ''): ManifestContent {
  const bytes =
    document instanceof Uint8Array
      ? document
      : Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}

test('reads images and indexes of OCI and Docker', () => {
  for (const mediaType of [MEDIA_TYPE_OCI_MANIFEST, MEDIA_TYPE_DOCKER_MANIFEST]) {
    const manifest = parseManifest(content({ ...IMAGE, mediaType }));
    assert.equal(manifest.kind, 'manifest');
    assert.deepEqual(manifestSuccessors(manifest), [BLOB, BLOB]);
  }
  for (const mediaType of [MEDIA_TYPE_OCI_INDEX, MEDIA_TYPE_DOCKER_INDEX]) {
    const manifest = parseManifest(content({ ...INDEX, mediaType }));
    assert.equal(manifest.kind, 'index');
    assert.deepEqual(manifestSuccessors(manifest), INDEX.manifests);
  }
});

test('a document without a media type is what its descriptor or its shape says', () => {
  const { mediaType: _image, ...image } = IMAGE;
  const { mediaType: _index, ...index } = INDEX;
  assert.equal(parseManifest(content(image, MEDIA_TYPE_DOCKER_MANIFEST)).mediaType, MEDIA_TYPE_DOCKER_MANIFEST);
  assert.equal(parseManifest(content(image)).kind, 'manifest');
  assert.equal(parseManifest(content(index)).kind, 'index');
  assert.equal(parseManifest(content(index, MEDIA_TYPE_OCI_INDEX)).kind, 'index');
  assert.equal(detectManifestMediaType(Buffer.from(JSON.stringify(image))), MEDIA_TYPE_OCI_MANIFEST);
  assert.equal(detectManifestMediaType(Buffer.from(JSON.stringify(index))), MEDIA_TYPE_OCI_INDEX);
  assert.equal(detectManifestMediaType(Buffer.from(JSON.stringify({ ...index, mediaType: 'x/y' }))), 'x/y');
  for (const text of ['', '{', 'null', '[]', '5', '{}', '{"os":"linux"}', '\xff'])
    assert.equal(detectManifestMediaType(Buffer.from(text, 'latin1')), undefined);
});

test('the media type inside wins over the one of the descriptor: content cannot be both', () => {
  assert.equal(parseManifest(content(INDEX, MEDIA_TYPE_OCI_MANIFEST)).kind, 'index');
  assert.throws(() => parseManifest(content({ ...INDEX, mediaType: MEDIA_TYPE_OCI_MANIFEST }, MEDIA_TYPE_OCI_INDEX)), {
    code: 'DT_MANIFEST_INVALID',
  });
});

test('an artifact keeps subject, type, URLs, annotations and platform', () => {
  const layer = { ...BLOB, urls: ['https://example.com/x', 5], annotations: { a: 'b' }, artifactType: 'x/y' };
  const manifest = parseManifest(content({ ...IMAGE, layers: [layer], subject: BLOB, artifactType: 'a/b' }));
  assert.deepEqual(manifest.subject, BLOB);
  assert.ok(manifest.kind === 'manifest');
  assert.equal(manifest.artifactType, 'a/b');
  assert.deepEqual(manifest.layers, [{ ...layer, urls: ['https://example.com/x'] }]);
  assert.ok(!manifestSuccessors(manifest).includes(BLOB) || manifestSuccessors(manifest).length === 2);
});

test('an image without layers is fine', () => {
  const { layers: _layers, ...image } = IMAGE;
  assert.deepEqual(manifestSuccessors(parseManifest(content(image))), [BLOB]);
});

const HOSTILE: Readonly<Record<string, unknown>> = {
  'no JSON': '{',
  nothing: '',
  'a list': [],
  null: 'null',
  'a text': '"x"',
  'invalid UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
  'Docker schema 1': { schemaVersion: 1, fsLayers: [] },
  'no schemaVersion': { ...IMAGE, schemaVersion: undefined },
  'schemaVersion as text': { ...IMAGE, schemaVersion: '2' },
  'an unknown type without layers': { schemaVersion: 2, mediaType: 'x/y' },
  'no config': { ...IMAGE, config: undefined },
  'a null config': { ...IMAGE, config: null },
  'layers that are no list': { ...IMAGE, layers: {} },
  'a null layer': { ...IMAGE, layers: [null] },
  'manifests that are no list': { ...INDEX, manifests: 'x' },
  'no manifests': { ...INDEX, manifests: undefined },
  'a digest that is none': { ...IMAGE, layers: [{ ...BLOB, digest: '../../etc/passwd' }] },
  'a digest that is a number': { ...IMAGE, layers: [{ ...BLOB, digest: 5 }] },
  'a negative size': { ...IMAGE, layers: [{ ...BLOB, size: -1 }] },
  'a fractional size': { ...IMAGE, layers: [{ ...BLOB, size: 1.5 }] },
  'a size as text': { ...IMAGE, layers: [{ ...BLOB, size: '4' }] },
  'a size beyond integers': JSON.stringify({ ...IMAGE, layers: [{ ...BLOB, size: 0 }] }).replace(
    '"size":0',
    '"size":1e300',
  ),
  'no media type in a layer': { ...IMAGE, layers: [{ ...BLOB, mediaType: undefined }] },
  'a hostile subject': { ...IMAGE, subject: { digest: 'x' } },
  'a subject that is null': { ...IMAGE, subject: null },
  'ten thousand and one layers': { ...IMAGE, layers: Array.from({ length: 10_001 }, () => BLOB) },
  'more bytes than allowed': Buffer.alloc(MAX_MANIFEST_BYTES + 1, 0x20),
  'a million brackets': '['.repeat(1_000_000),
};

for (const [name, document] of Object.entries(HOSTILE)) {
  test(`refuses ${name}`, () => {
    assert.throws(() => parseManifest(content(document)), { code: 'DT_MANIFEST_INVALID' });
  });
}

test('odd fields beside the known ones do no harm', () => {
  const text = JSON.stringify(IMAGE).replace('{', '{"__proto__":{"polluted":1},"constructor":1,');
  assert.equal(parseManifest(content(text)).kind, 'manifest');
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  const odd = parseManifest(
    content({ ...IMAGE, layers: [{ ...BLOB, annotations: { a: 1 }, urls: 'x', platform: 'linux', artifactType: 4 }] }),
  );
  assert.deepEqual(odd.kind === 'manifest' && odd.layers, [BLOB]);
});

test('knows attestations and what they describe', () => {
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': digestOf('image'),
  };
  assert.equal(attestedDigest({ ...BLOB, annotations }), digestOf('image'));
  assert.equal(isAttestation({ ...BLOB, annotations }), true);
  assert.equal(isAttestation(BLOB), false);
  assert.equal(attestedDigest(BLOB), undefined);
  assert.equal(
    attestedDigest({ ...BLOB, annotations: { ...annotations, 'vnd.docker.reference.digest': 'x' } }),
    undefined,
  );
  assert.equal(
    attestedDigest({ ...BLOB, annotations: { 'vnd.docker.reference.digest': digestOf('image') } }),
    undefined,
  );
});
