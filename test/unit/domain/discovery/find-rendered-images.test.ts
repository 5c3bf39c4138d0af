import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findRenderedImages } from '../../../../src/domain/discovery/find-rendered-images.ts';
import { parseManifests, splitManifests } from '../../../../src/domain/discovery/parse-manifests.ts';
import { formatYamlPath } from '../../../../src/domain/yaml/yaml-tree.ts';

function find(text: string): string[] {
  const [manifest] = parseManifests(splitManifests(text)).manifests;
  assert.ok(manifest);
  const { images } = findRenderedImages(manifest);
  return images.map((image) => `${image.field} ${image.text} ${formatYamlPath(image.place.path)}`);
}

describe('findRenderedImages', () => {
  it('finds all containers and image volumes of a pod', () => {
    const pod =
      'apiVersion: v1\nkind: Pod\nspec:\n  initContainers: [{image: a}]\n  containers: [{image: "b:1"}, {}]\n  ephemeralContainers: [{image: c}]\n  volumes: [{image: {reference: d}}, {emptyDir: {}}]\n';
    assert.deepEqual(find(pod), [
      'pod a spec.initContainers[0].image',
      'pod b:1 spec.containers[0].image',
      'pod c spec.ephemeralContainers[0].image',
      'pod d spec.volumes[0].image.reference',
    ]);
  });

  it('joins the fields of a custom resource that make one reference', () => {
    const custom = (spec: string): string[] => find(`apiVersion: example.com/v1\nkind: X\nspec: ${spec}\n`);
    const digest = `sha256:${'b'.repeat(64)}`;
    assert.deepEqual(custom('{repository: nvcr.io/nvidia, image: driver, version: "550"}'), [
      'custom-split nvcr.io/nvidia/driver:550 spec.image',
    ]);
    assert.deepEqual(custom(`{repository: nvcr.io/nvidia, image: driver, version: "${digest}"}`), [
      `custom-split nvcr.io/nvidia/driver@${digest} spec.image`,
    ]);
    assert.deepEqual(custom('{image: {registry: quay.io, repository: a/b, tag: 7}}'), [
      'custom-split quay.io/a/b:7 spec.image.repository',
    ]);
    assert.deepEqual(custom('{image: {name: a/b, tag: v1}}'), ['custom-split a/b:v1 spec.image.name']);
    assert.deepEqual(custom('{chart: {repository: charts, name: app, version: 1.0.0}}'), []);
    assert.deepEqual(custom('{image: "quay.io/a/b:1", version: v2}'), ['custom quay.io/a/b:1 spec.image']);
  });

  it('does not take objects of Kubernetes itself for custom resources', () => {
    assert.deepEqual(find('apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec: {image: nginx}\n'), []);
    assert.deepEqual(find('apiVersion: apps/v1\nkind: Deployment\nspec: {image: nginx}\n'), []);
  });

  it('takes the resources of others for custom ones, whatever their group ends in', () => {
    for (const group of ['sparkoperator.k8s.io', 'flinkoperator.k8s.io', 'gateway.networking.k8s.io', 'x-k8s.io']) {
      assert.deepEqual(
        find(`apiVersion: ${group}/v1beta2\nkind: X\nspec: {image: "docker.io/apache/spark:3.5.0"}\n`),
        ['custom docker.io/apache/spark:3.5.0 spec.image'],
        group,
      );
    }
    assert.deepEqual(
      find('apiVersion: batch.volcano.sh/v1\nkind: Job\nspec: {template: {spec: {containers: [{image: a}]}}}\n'),
      ['pod a spec.template.spec.containers[0].image'],
    );
  });

  it('reads secrets, the encoded ones too', () => {
    const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64');
    const text = encode('image: quay.io/a/b:1\nother: x\n');
    const half = Math.floor(text.length / 2);
    const secret = [
      'apiVersion: v1',
      'kind: Secret',
      'data:',
      `  text: ${text}`,
      `  folded: "${text.slice(0, half)}\\n${text.slice(half)}"`,
      `  image: ${encode('quay.io/e/f:1')}`,
      `  binary: ${encode(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(' image: quay.io/g/h:1')]))}`,
      '  plain: "quay.io/i/j:1"',
      'stringData:',
      '  own: "quay.io/c/d:1"',
      `  encoded: ${text}`,
    ].join('\n');
    assert.deepEqual(find(secret), [
      'text quay.io/a/b:1 data.text',
      'text quay.io/a/b:1 data.folded',
      'text quay.io/e/f:1 data.image',
      'text quay.io/c/d:1 stringData.own',
    ]);
    const [manifest] = parseManifests(splitManifests(secret)).manifests;
    assert.ok(manifest);
    assert.ok(findRenderedImages(manifest).images.every(({ isCertain }) => !isCertain));
    assert.deepEqual(find(secret.replace('Secret', 'ConfigMap')), [
      'text quay.io/i/j:1 data.plain',
      'text quay.io/c/d:1 stringData.own',
    ]);
  });

  it('reports image fields that hold no reference', () => {
    const [manifest] = parseManifests(
      splitManifests('apiVersion: v1\nkind: Pod\nspec: {containers: [{image: "a:[[ .Version ]]"}, {image: ""}]}\n'),
    ).manifests;
    assert.ok(manifest);
    assert.deepEqual(
      findRenderedImages(manifest).unreadable.map(({ text }) => text),
      ['a:[[ .Version ]]'],
    );
  });
});
