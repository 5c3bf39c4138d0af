import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildChartBundle, type BundledImage } from '../../../../src/domain/carvel/chart-bundle.ts';
import { parseChartMetadata } from '../../../../src/domain/chart/chart-metadata.ts';
import type { LockImage } from '../../../../src/domain/lock/images-lock.ts';
import type { Digest } from '../../../../src/domain/oci/digest.ts';
import { parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';
import { listCarvelDigests, readCarvelLock } from '../../../support/carvel-lock.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;
const METADATA = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';

function bundleOf(chartYaml: string, images: readonly BundledImage[], annotationsKey?: string): [string, string] {
  const [lock, metadata] = buildChartBundle(parseChartMetadata(chartYaml, 'Chart.yaml'), images, annotationsKey);
  assert.deepEqual(
    [lock, metadata].map((entry) => [entry?.path, entry?.mode]),
    [
      ['.imgpkg/images.yml', 0o600],
      ['.imgpkg/bundle.yml', 0o644],
    ],
  );
  return [Buffer.from(lock?.bytes ?? []).toString(), Buffer.from(metadata?.bytes ?? []).toString()];
}

function imageOf(image: string, rootDigest: Digest, changes: Partial<LockImage> = {}): BundledImage {
  const digests = [{ digest: digest('1'), arch: 'linux/arm64' }];
  return { lockImage: { name: 'x', chart: 'shop', image, digests, ...changes }, rootDigest };
}

describe('the lock of a bundle', () => {
  it('names what references point to, whatever their form and platforms', () => {
    const [lock] = bundleOf(METADATA, [
      imageOf('localhost:5000/team/app', digest('a')),
      imageOf('redis:6', digest('b')),
      imageOf(`quay.io/team/app:1@${digest('c')}`, digest('c')),
      imageOf(`quay.io/team/app@${digest('d')}`, digest('d')),
    ]);
    assert.deepEqual(
      readCarvelLock(lock).map(({ image, annotations }) => [image, annotations]),
      [
        [`localhost:5000/team/app@${digest('a')}`, { 'kbld.carvel.dev/id': 'localhost:5000/team/app' }],
        [`docker.io/library/redis@${digest('b')}`, { 'kbld.carvel.dev/id': 'redis:6' }],
        [`quay.io/team/app@${digest('c')}`, { 'kbld.carvel.dev/id': `quay.io/team/app:1@${digest('c')}` }],
        [`quay.io/team/app@${digest('d')}`, { 'kbld.carvel.dev/id': `quay.io/team/app@${digest('d')}` }],
      ],
    );
  });

  it('names the manifest of the only platform that was kept, and the index of several', () => {
    const indexDigest = digest('e');
    const digests = ['2', '3'].map((letter) => ({ digest: digest(letter), arch: `linux/a${letter}` }));
    const [lock] = bundleOf(METADATA, [
      imageOf('quay.io/team/one:1', indexDigest, { indexDigest }),
      imageOf('quay.io/team/two:1', indexDigest, { indexDigest, digests }),
    ]);
    assert.deepEqual(listCarvelDigests(lock), {
      'quay.io/team/one:1': digest('1'),
      'quay.io/team/two:1': indexDigest,
    });
  });

  it('has an image once that several charts have, and a list without any', () => {
    const image = imageOf('quay.io/team/app:1', digest('a'));
    const again = imageOf('quay.io/team/app:1', digest('a'), { chart: 'sub' });
    assert.equal(readCarvelLock(bundleOf(METADATA, [image, again])[0]).length, 1);
    assert.deepEqual(readCarvelLock(bundleOf(METADATA, [])[0]), []);
  });
});

describe('the metadata of a bundle', () => {
  it('has name, annotations, maintainers and sources of the chart, but no list of images', () => {
    const [, text] = bundleOf(
      `${METADATA}sources: [https://s1, 2]
maintainers:
  - {name: Ann, email: ann@x, url: https://ann}
  - {name: Bob}
  - {url: https://nobody}
annotations:
  name: else
  licenses: Apache-2.0
  images: "[]"
  artifacthub.io/images: "[]"
  own/list: "[]"
  artifacthub.io/changes: |
    - one
    - two
`,
      [],
      'own/list',
    );
    assert.deepEqual(parseYaml(text, 'bundle.yml'), {
      apiVersion: 'imgpkg.carvel.dev/v1alpha1',
      kind: 'Bundle',
      authors: [{ name: 'Ann', email: 'ann@x' }, { name: 'Bob' }],
      metadata: { name: 'shop', licenses: 'Apache-2.0', 'artifacthub.io/changes': '- one\n- two\n' },
      websites: [{ url: 'https://s1' }, { url: '2' }],
    });
  });

  it('leaves out what the chart does not have, and what is no list', () => {
    const bare = { apiVersion: 'imgpkg.carvel.dev/v1alpha1', kind: 'Bundle', metadata: { name: 'shop' } };
    for (const more of ['', 'sources: x\nmaintainers: {a: b}\n', 'sources: []\nmaintainers: [x, null]\n']) {
      assert.deepEqual(parseYaml(bundleOf(METADATA + more, [])[1], 'bundle.yml'), bare);
    }
  });
});
