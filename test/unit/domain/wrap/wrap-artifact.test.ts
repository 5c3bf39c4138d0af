import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManifestContent } from '../../../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { parseManifest } from '../../../../src/domain/oci/manifest.ts';
import { formatReference } from '../../../../src/domain/oci/reference.ts';
import { findWrapLayer, formatWrapArtifact, MEDIA_TYPE_WRAP } from '../../../../src/domain/wrap/wrap-artifact.ts';
import { nameWrapArtifact, placeWrapArtifact } from '../../../../src/domain/wrap/wrap-artifact-place.ts';
import type { WrapDocument } from '../../../../src/domain/wrap/wrap-document.ts';

const NAME = { name: 'contour', version: '19.3.2+build.1' };

test('the name goes behind the path, and the version is the tag unless one is given', () => {
  for (const [target, expected] of [
    ['oci://registry.example.com/wraps', 'registry.example.com/wraps/contour:19.3.2_build.1'],
    ['registry.example.com:5000/a/b/', 'registry.example.com:5000/a/b/contour:19.3.2_build.1'],
    ['oci://registry.example.com:5000', 'registry.example.com:5000/contour:19.3.2_build.1'],
    ['registry.example.com:5000/a:stable', 'registry.example.com:5000/a/contour:stable'],
    ['registry.example.com/contour', 'registry.example.com/contour/contour:19.3.2_build.1'],
  ] as const) {
    assert.equal(formatReference(placeWrapArtifact(target, NAME)), expected);
  }
});

test('a target that is none, or has no tag where one is needed, is refused', () => {
  assert.throws(() => placeWrapArtifact('oci://registry.example.com/UPPER', NAME), { code: 'DT_BAD_PREFIX' });
  assert.throws(() => placeWrapArtifact('oci://registry.example.com/a:no way', NAME), { code: 'DT_BAD_REFERENCE' });
  assert.throws(() => placeWrapArtifact('r.example.com/a', { name: 'x', version: undefined }), { code: 'DT_USAGE' });
});

test('a wrap is called by its one chart, or by its image', () => {
  const document = { formatVersion: 1, kind: 'chart', charts: [], images: [], blobs: [] } as const;
  const chart = { name: 'a', version: '1', appVersion: '', path: 'a-1/chart' };
  const image = { chart: '', name: 'x', reference: 'r.example.com/team/app:2', platforms: [] };
  const nameOf = (changes: Partial<WrapDocument>): object => nameWrapArtifact({ ...document, ...changes });
  assert.deepEqual(nameOf({ charts: [chart] }), { name: 'a', version: '1' });
  assert.deepEqual(nameOf({ charts: [chart, { ...chart, name: 'b' }] }), { name: 'a', version: undefined });
  assert.deepEqual(nameOf({ kind: 'container', images: [image] }), { name: 'app', version: '2' });
  assert.throws(() => nameOf({}), { code: 'DT_WRAP_INVALID' });
});

test('the layer of a wrap is found, and nothing else is taken for one', () => {
  const wrap = { mediaType: MEDIA_TYPE_WRAP, digest: digestOf('wrap'), size: 4 };
  const content = formatWrapArtifact({ name: 'a', version: '1', layers: [{ ...wrap, title: 'a-1.wrap.tgz' }] });
  assert.deepEqual(findWrapLayer(content, 'oci://x').digest, wrap.digest);
  assert.ok(parseManifest(content).kind === 'manifest');
  const edit = (change: (document: Record<string, unknown>) => void): ManifestContent => {
    const document = JSON.parse(Buffer.from(content.bytes).toString()) as Record<string, unknown>;
    change(document);
    return { descriptor: content.descriptor, bytes: Buffer.from(JSON.stringify(document)) };
  };
  const others = [
    edit((document) => delete document['artifactType']),
    edit((document) => (document['layers'] = [])),
    edit((document) => (document['layers'] = [wrap, wrap])),
    edit((document) => (document['layers'] = [{ ...wrap, mediaType: 'application/octet-stream' }])),
  ];
  for (const other of others) assert.throws(() => findWrapLayer(other, 'oci://x'), { code: 'DT_WRAP_INVALID' });
});
