import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collectManifests } from '../../../../src/domain/manifests/collect-manifests.ts';
import type { ImageOverride } from '../../../../src/domain/manifests/image-override.ts';
import { readManifestDocuments } from '../../../../src/domain/manifests/manifest-document.ts';
import { finishImage, planImage, type ImagePlan } from '../../../../src/domain/manifests/plan-resolution.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';

const A = digestOf('a');
const B = digestOf('b');
const ARM = { os: 'linux', architecture: 'arm', variant: 'v7' };

function readOverrides(...texts: readonly string[]): readonly ImageOverride[] {
  const documents = texts.flatMap((text, index) => readManifestDocuments(text, `${String(index)}.yml`));
  return collectManifests(documents).overrides;
}

function config(...overrides: readonly string[]): string {
  return `apiVersion: kbld.k14s.io/v1alpha1\nkind: Config\noverrides: [${overrides.join(', ')}]\n`;
}

function lock(...images: readonly string[]): string {
  return `apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages: [${images.join(', ')}]\n`;
}

function known(plan: ImagePlan): unknown {
  return plan.kind === 'known' ? plan.image : undefined;
}

describe('planImage', () => {
  it('knows an image with a digest, without its tag, and Docker Hub as the Carvel tools write it', () => {
    assert.deepEqual(known(planImage(`redis:6@${A}`, [], undefined)), {
      url: `index.docker.io/library/redis@${A}`,
      origins: [],
    });
    assert.equal(planImage(`redis@${A}`, [], ARM).kind, 'ask');
  });

  it('asks for a tag, and says so', () => {
    const plan = planImage('redis', [], undefined);
    assert.ok(plan.kind === 'ask');
    assert.deepEqual(finishImage(plan, { digest: A }), {
      url: `index.docker.io/library/redis@${A}`,
      origins: [{ resolved: { tag: 'latest', url: 'redis' } }],
    });
  });

  it('takes the manifest of a platform, of the override before that of the flag', () => {
    const overrides = readOverrides(
      config(
        '{imageRepo: redis, newImage: "r.io/redis:7", platformSelection: {os: linux, architecture: arm, variant: v7}}',
      ),
    );
    const plan = planImage('redis:6', overrides, { os: 'linux', architecture: 's390x' });
    assert.ok(plan.kind === 'ask');
    assert.deepEqual(plan.platform, ARM);
    assert.deepEqual(finishImage(plan, { digest: A, platformDigest: B }), {
      url: `r.io/redis@${B}`,
      origins: [
        { resolved: { tag: '7', url: 'r.io/redis:7' } },
        { platformSelected: { architecture: 'arm', index: `r.io/redis@${A}`, os: 'linux', variant: 'v7' } },
      ],
    });
  });

  it('carries the origins of a lock over, and says once that it told', () => {
    const origins = `- resolved: {tag: '6', url: 'redis:6'}\\n- git: {dirty: true, tags: [a]}`;
    const overrides = readOverrides(
      lock(
        `{image: "redis@${A}", annotations: {kbld.carvel.dev/id: "redis:6", kbld.carvel.dev/origins: "${origins}"}}`,
      ),
    );
    const url = `index.docker.io/library/redis@${A}`;
    const told = [
      { resolved: { tag: '6', url: 'redis:6' } },
      { git: { dirty: true, tags: ['a'] } },
      { preresolved: { url } },
    ];
    assert.deepEqual(known(planImage('redis:6', overrides, ARM)), { url, origins: told });
    const again = overrides.map((override) => ({ ...override, origins: told }));
    assert.deepEqual(known(planImage('redis:6', again, undefined)), { url, origins: told });
    assert.equal(planImage('redis:7', overrides, undefined).kind, 'ask');
  });

  it('takes the first of several overrides, if the others agree or are less exact', () => {
    const exact = '{image: "a:1", newImage: "b:1", preresolved: true}';
    const all = '{imageRepo: a, newImage: "c:1", preresolved: true}';
    for (const texts of [[config(exact, exact)], [config(exact), config(exact)], [config(exact, all)]]) {
      const plan = planImage('a:1', readOverrides(...texts), undefined);
      assert.equal(plan.kind === 'known' ? plan.image.url : '', 'b:1');
    }
    for (const texts of [
      [config(all, exact)],
      [config(exact), config(exact.replace('b:1', 'd:1'))],
      [config(exact), config(exact.replace(', preresolved: true', ''))],
      [lock(`{image: "b@${A}", annotations: {kbld.carvel.dev/id: "a:1"}}`), config(exact)],
    ]) {
      assert.throws(() => planImage('a:1', readOverrides(...texts), undefined), {
        code: 'DT_CONFIG_INVALID',
        message: /^a:1 is ambiguous: 0\.yml makes it .*, [01]\.yml /,
      });
    }
  });

  it('refuses what is no reference', () => {
    for (const text of ['', 'BAD/image', 'a@sha256:abc']) {
      assert.throws(() => planImage(text, [], undefined), { code: 'DT_BAD_REFERENCE' });
    }
  });
});

describe('collectManifests', () => {
  for (const [text, message] of [
    [lock('{image: "a:1", annotations: {kbld.carvel.dev/id: a}}'), /has no digest/],
    [lock(`{image: "a@${A}"}`), /does not say which image .*a@sha256/],
    [lock(`{image: "a@${A}", more: 1}`), /unknown field "more"/],
    [lock().replace('v1alpha1', 'v2'), /apiVersion/],
    [lock(`{image: "a@${A}", annotations: {kbld.carvel.dev/id: a, kbld.carvel.dev/origins: "x"}}`), /origins/],
    [lock(`{image: "a@${A}", annotations: {kbld.carvel.dev/id: a, kbld.carvel.dev/origins: "["}}`), /origins/],
  ] as const) {
    it(`refuses a lock: ${message.source}`, () => {
      assert.throws(() => readOverrides(text), { code: 'DT_LOCK_INVALID', message });
    });
  }

  it('takes locks and configurations out of the manifests', () => {
    const texts = ['kind: Pod\n', config(), lock(), '# comment\n'];
    const { documents } = collectManifests(texts.flatMap((text, index) => readManifestDocuments(text, String(index))));
    assert.deepEqual(
      documents.map(({ file }) => file),
      ['0', '3'],
    );
  });
});
