import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { formatReference } from '../../../../src/domain/oci/reference.ts';
import { formatPluginArtifact, placePluginArtifact } from '../../../../src/domain/plugin/plugin-artifact.ts';

const PLUGIN = { name: 'dt', version: '1.2.3+b' };
const PLACES: readonly (readonly [target: string, fileName: string, reference: string])[] = [
  ['oci://r.example.com/tools', 'dt-1.2.3+b.tgz', 'r.example.com/tools/dt:1.2.3_b'],
  ['oci://r.example.com/tools', 'dt-1.2.3+b-linux-x64.tgz', 'r.example.com/tools/dt:1.2.3_b-linux-x64'],
  ['r.example.com:5000', 'renamed.tgz', 'r.example.com:5000/dt:1.2.3_b'],
  ['oci://r.example.com/tools', 'dt-1.2.3+b-linux-x64.tar.gz', 'r.example.com/tools/dt:1.2.3_b'],
  ['oci://r.example.com/tools:latest', 'dt-1.2.3+b-linux-x64.tgz', 'r.example.com/tools/dt:latest'],
];

test('the name of the plugin is put behind the path, the platform of the file name into the tag', () => {
  for (const [target, fileName, reference] of PLACES) {
    assert.equal(formatReference(placePluginArtifact(target, PLUGIN, fileName)), reference);
  }
  assert.throws(() => placePluginArtifact('oci://r.example.com/UPPER', PLUGIN, 'x'), { code: 'DT_BAD_PREFIX' });
  assert.throws(() => placePluginArtifact('r.example.com', { ...PLUGIN, name: 'Dt' }, 'x'), {
    code: 'DT_BAD_REFERENCE',
  });
});

test('the manifest is the one that Helm 4 looks for', () => {
  const digest = digestOf(Buffer.from('package'));
  const provenance = Buffer.from('provenance');
  const { manifest } = formatPluginArtifact(PLUGIN, { digest, sizeBytes: 7 }, provenance);
  assert.deepEqual(JSON.parse(manifest.bytes.toString()), {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.helm.plugin.v1+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
    layers: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest,
        size: 7,
        annotations: { 'org.opencontainers.image.title': 'dt-1.2.3+b.tgz' },
      },
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: digestOf(provenance),
        size: provenance.length,
        annotations: { 'org.opencontainers.image.title': 'dt-1.2.3+b.tgz.prov' },
      },
    ],
    annotations: { 'org.opencontainers.image.title': 'dt', 'org.opencontainers.image.version': '1.2.3+b' },
  });
  const unsigned = formatPluginArtifact(PLUGIN, { digest, sizeBytes: 7 }, undefined);
  assert.equal((JSON.parse(unsigned.manifest.bytes.toString()) as { layers: unknown[] }).layers.length, 1);
});
