import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  findImagesInText,
  type ImageHint,
  readImageHint,
} from '../../../../src/domain/discovery/find-images-in-text.ts';

const find = (text: string, hint: ImageHint = 'none'): string[] =>
  findImagesInText(text, hint).map((found) => found.text);

describe('findImagesInText', () => {
  it('takes a text that names registry and tag or digest', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    for (const text of [
      'quay.io/team/app:1',
      `ghcr.io/team/app@${digest}`,
      'localhost:5000/app:1',
      '10.0.0.1:5000/a/b:v2',
    ]) {
      assert.deepEqual(find(text), [text]);
    }
  });

  it('takes less where the name says image', () => {
    assert.deepEqual(find('postgres:16', 'image'), ['postgres:16']);
    assert.deepEqual(find('team/app:1', 'image'), ['team/app:1']);
    assert.deepEqual(find('quay.io/team/app', 'image'), ['quay.io/team/app']);
    assert.deepEqual(find('quay.io/team/app', 'repository'), ['quay.io/team/app']);
    assert.deepEqual(find('quay.io/team/app', 'none'), []);
    assert.deepEqual(find('team/app', 'repository'), []);
    assert.deepEqual(find('always', 'image'), []);
  });

  it('leaves addresses, URLs, paths, code and templates alone', () => {
    for (const text of [
      'http://quay.io/team/app:1',
      'backend.example.com:8080/path:8080',
      'db.team.svc:5432',
      'redis.team.svc.cluster.local:6379/0',
      '/var/lib/data.d/x:ro',
      './a.b/c:1',
      'github.com/team/app:1',
      'github.com/team/app.git:main',
      'system:serviceaccount:ns:name',
      'key: quay.io/team/app:{{ .Values.tag }}',
      '${REGISTRY}/team/app:1',
    ]) {
      assert.deepEqual(find(text), [], text);
    }
  });

  it('finds words of scripts and documents, with the key in front as a hint', () => {
    assert.deepEqual(find('run --image=busybox:1.36 --port 80:80 ghcr.io/a/b:1, "quay.io/c/d:2"'), [
      'busybox:1.36',
      'ghcr.io/a/b:1',
      'quay.io/c/d:2',
    ]);
    assert.deepEqual(find('image: nginx:1\nname: nginx:1\n{"proxyImage":"envoy:2"}\n'), ['nginx:1', 'envoy:2']);
  });
});

describe('readImageHint', () => {
  it('reads names of variables, flags and keys', () => {
    assert.equal(readImageHint('RELATED_IMAGE_DB'), 'image');
    assert.equal(readImageHint('--proxy-image'), 'image');
    assert.equal(readImageHint('trivy.repository'), 'repository');
    assert.equal(readImageHint('imagePullPolicy'), 'none');
    assert.equal(readImageHint('IMAGE_PULL_SECRETS'), 'none');
    assert.equal(readImageHint('name'), 'none');
  });
});
