import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseImagesLock } from '../../../../src/domain/lock/parse-lock.ts';
import type { Digest } from '../../../../src/domain/oci/digest.ts';
import { parseReference } from '../../../../src/domain/oci/reference.ts';
import { createKnownImages } from '../../../../src/domain/relocation/known-images.ts';
import { relocateAnnotations } from '../../../../src/domain/relocation/relocate-annotations.ts';
import { relocateImagesFile } from '../../../../src/domain/relocation/relocate-image-list.ts';
import { relocateReference } from '../../../../src/domain/relocation/relocate-reference.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import { relocateValues } from '../../../../src/domain/relocation/values-images.ts';
import { readYamlTree } from '../../../../src/domain/yaml/read-yaml-tree.ts';
import { buildChart, relocateWith, textsOf } from '../../../support/relocation-fixtures.ts';

const PREFIX = parseRelocationPrefix('acme.com/federal');
const OLD = `sha256:${'a'.repeat(64)}` as Digest;
const NEW = `sha256:${'b'.repeat(64)}` as Digest;
const OTHER = `sha256:${'c'.repeat(64)}` as Digest;
const REPLACED = new Map([[OLD, NEW]]);
const [OLD_HEX, NEW_HEX] = ['a'.repeat(64), 'b'.repeat(64)];
const DECLARED = createKnownImages([`quay.io/x/yy:1@${OLD}`, `quay.io/x/yy@${OTHER}`].map(parseReference));

function relocateText(text: string, replaced?: ReadonlyMap<Digest, Digest>): string {
  const result = relocateValues(readYamlTree(text, 'values.yaml'), PREFIX, DECLARED, replaced);
  assert.deepEqual(result.refused, []);
  return result.text;
}

const VALUES: Readonly<Record<string, readonly [string, string]>> = {
  'a field beside the name': [
    `image:\n  repository: quay.io/x/yy\n  digest: ${OLD} # pinned\n`,
    `image:\n  repository: acme.com/federal/x/yy\n  digest: ${NEW} # pinned\n`,
  ],
  'a field beside registry and repository': [
    `image: {registry: quay.io, repository: x/yy, tag: "1", digest: "${OLD}"}\n`,
    `image: {registry: acme.com, repository: federal/x/yy, tag: "1", digest: "${NEW}"}\n`,
  ],
  'the hexadecimal part under any key': [
    `image: {repository: quay.io/x/yy, tag: 1, sha: '${OLD_HEX}'}\n`,
    `image: {repository: acme.com/federal/x/yy, tag: 1, sha: '${NEW_HEX}'}\n`,
  ],
  'a tag with a digest behind it': [
    `image:\n  repository: quay.io/x/yy\n  tag: 1.0@${OLD}\n`,
    `image:\n  repository: acme.com/federal/x/yy\n  tag: 1.0@${NEW}\n`,
  ],
  'a repository with a digest': [
    `image:\n  repository: "quay.io/x/yy@${OLD}"\n  pullPolicy: Always\n`,
    `image:\n  repository: "acme.com/federal/x/yy@${NEW}"\n  pullPolicy: Always\n`,
  ],
  'folder and name in two fields': [
    `image: {repository: quay.io/x, image: "yy@${OLD}"}\n`,
    `image: {repository: acme.com/federal/x, image: "yy@${NEW}"}\n`,
  ],
  'an image with a registry beside it': [
    `image: {registry: quay.io, image: "x/yy@${OLD}"}\n`,
    `image: {registry: acme.com, image: "federal/x/yy@${NEW}"}\n`,
  ],
  'a whole reference': [`some: quay.io/x/yy:1@${OLD}\n`, `some: acme.com/federal/x/yy:1@${NEW}\n`],
  'a whole reference in a list': [`some:\n- quay.io/x/yy@${OLD}\n`, `some:\n- acme.com/federal/x/yy@${NEW}\n`],
  'a name that leaves the hexadecimal part to a field beside it': [
    `image: {repository: quay.io/x/yy@sha256, tag: ${OLD_HEX}}\n`,
    `image: {repository: acme.com/federal/x/yy@sha256, tag: ${NEW_HEX}}\n`,
  ],
  'a name as a text with a digest beside it': [
    `imageName: quay.io/x/yy\ndigest: ${OLD}\n`,
    `imageName: acme.com/federal/x/yy\ndigest: ${NEW}\n`,
  ],
  'a block scalar': [
    `image:\n  repository: quay.io/x/yy\n  digest: >-\n    ${OLD}\n`,
    `image:\n  repository: acme.com/federal/x/yy\n  digest: >-\n    ${NEW}\n`,
  ],
  'an anchor that all uses want changed': [
    `a: {repository: quay.io/x/yy, digest: &d ${OLD}}\nb: {repository: quay.io/x/zz, digest: *d}\n`,
    `a: {repository: acme.com/federal/x/yy, digest: &d ${NEW}}\nb: {repository: acme.com/federal/x/zz, digest: *d}\n`,
  ],
  'an alias of what others need as it is': [
    `note: &d ${OLD}\nb: {repository: quay.io/x/yy, digest: *d}\n`,
    `note: &d ${OLD}\nb: {repository: acme.com/federal/x/yy, digest: ${NEW}}\n`,
  ],
  'a merge key': [
    `base: &b\n  digest: ${OLD}\nimage:\n  <<: *b\n  repository: quay.io/x/yy\n`,
    `base: &b\n  digest: ${OLD}\nimage:\n  <<: *b\n  digest: ${NEW}\n  repository: acme.com/federal/x/yy\n`,
  ],
  'what lies under the prefix already': [
    `image: {registry: ACME.com, repository: federal/x/yy, digest: ${OLD}}\nother: {repository: acme.com/federal/x/zz@${OLD}, tag: 1}\n`,
    `image: {registry: ACME.com, repository: federal/x/yy, digest: ${NEW}}\nother: {repository: acme.com/federal/x/zz@${NEW}, tag: 1}\n`,
  ],
  'nothing but images': [
    `note: ${OLD}\nother: {digest: ${OLD}}\nelse: gcr.io/not/declared@${OLD}\nimage: {repository: quay.io/x/yy, digest: ${OTHER}}\n`,
    `note: ${OLD}\nother: {digest: ${OLD}}\nelse: gcr.io/not/declared@${OLD}\nimage: {repository: acme.com/federal/x/yy, digest: ${OTHER}}\n`,
  ],
};

describe('digests of replaced indexes in values', () => {
  for (const [name, [before, after]] of Object.entries(VALUES)) {
    it(name, () => {
      assert.equal(relocateText(before, REPLACED), after);
      assert.equal(relocateText(after, REPLACED), after);
      const kept = after.replaceAll(NEW, OLD).replaceAll(NEW_HEX, OLD_HEX);
      if (name !== 'a merge key' && !name.startsWith('an alias')) assert.equal(relocateText(before), kept);
    });
  }

  it('are reported as changes', () => {
    const tree = readYamlTree(`image:\n  repository: acme.com/federal/x/yy\n  digest: ${OLD}\n`, 'values.yaml');
    const { changes } = relocateValues(tree, PREFIX, createKnownImages([]), REPLACED);
    assert.deepEqual(changes, [{ file: 'values.yaml', line: 3, path: 'image.digest', from: OLD, to: NEW }]);
  });
});

const LOCK = `apiVersion: v0
kind: ImagesLock
metadata:
  generatedAt: "2026-01-01T00:00:00Z"
chart:
  name: c
  version: 1.0.0
images:
  - name: one
    image: quay.io/x/yy:1
    chart: c
    digests:
      - digest: ${OTHER}
        arch: linux/amd64
    indexDigest: ${OLD} # of two platforms
  - name: two
    image: quay.io/x/zz@${OLD}
    chart: c
    digests:
      - digest: ${OTHER}
        arch: linux/amd64
    indexDigest: '${OLD}'
    targetIndexDigest: ${OTHER}
  - name: three
    image: quay.io/x/vv:1
    chart: c
    digests: []
    indexDigest: ${OTHER}`;

describe('digests of replaced indexes elsewhere', () => {
  const relocateLock = (text: string): string =>
    Buffer.from(relocateImagesFile(Buffer.from(text), 'Images.lock', PREFIX, REPLACED).bytes).toString();

  it('stand in a lock beside those of the source', () => {
    const { bytes, changes } = relocateImagesFile(Buffer.from(LOCK), 'Images.lock', PREFIX, REPLACED);
    const wanted = LOCK.replaceAll('quay.io/', 'acme.com/federal/')
      .replace(`zz@${OLD}`, `zz@${NEW}`)
      .replace('# of two platforms', `# of two platforms\n    targetIndexDigest: ${NEW}`)
      .replace(`targetIndexDigest: ${OTHER}`, `targetIndexDigest: ${NEW}`);
    assert.equal(Buffer.from(bytes).toString(), wanted);
    assert.equal(changes.length, 5);
    assert.deepEqual(
      changes.find(({ from }) => from === ''),
      { file: 'Images.lock', line: 15, path: 'images[0].targetIndexDigest', from: '', to: NEW },
    );
    assert.equal(relocateLock(wanted), wanted);
    const { images } = parseImagesLock(wanted, 'Images.lock');
    assert.deepEqual(
      images.map(({ indexDigest, targetIndexDigest }) => [indexDigest, targetIndexDigest]),
      [
        [OLD, NEW],
        [OLD, NEW],
        [OTHER, undefined],
      ],
    );
  });

  it('stand in a lock of any layout', () => {
    const entry = `image: acme.com/federal/x/y, chart: c, digests: [], indexDigest: ${OLD}`;
    assert.equal(relocateLock(`images: [{${entry}}]`), `images: [{${entry}, targetIndexDigest: ${NEW}}]`);
    const quoted = `images: [{${entry.replace(OLD, `"${OLD}"`)}, name: x}]`;
    assert.equal(relocateLock(quoted), quoted.replace('", name', `", targetIndexDigest: ${NEW}, name`));
    const lines = `images:\r\n- "indexDigest": '${OLD}'\r\n  image: acme.com/federal/x/y\r\n`;
    assert.equal(relocateLock(lines), lines.replace("'\r\n", `'\r\n  targetIndexDigest: ${NEW}\r\n`));
    const last = `images:\n- image: acme.com/federal/x/y\n  indexDigest: ${OLD}`;
    assert.equal(relocateLock(last), `${last}\n  targetIndexDigest: ${NEW}`);
  });

  it('that cannot be written fail the whole relocation', () => {
    const twice = `images:\n- image: acme.com/federal/x/y\n  indexDigest: ${OLD}\n  indexDigest: ${OLD}\n`;
    assert.throws(() => relocateLock(twice), { code: 'DT_RELOCATION_FAILED' });
  });

  it('stand in annotations', () => {
    const text = `annotations:\n  images: |\n    - image: quay.io/x/yy@${OLD}\n    - image: acme.com/federal/x/zz:1@${OLD}\n`;
    const { bytes } = relocateAnnotations(Buffer.from(text), 'Chart.yaml', ['images'], PREFIX, REPLACED);
    assert.equal(Buffer.from(bytes).toString(), text.replace('quay.io/', 'acme.com/federal/').replaceAll(OLD, NEW));
  });

  it('stand in all files of a chart, and doing it twice is doing it once', async () => {
    const files = new Map([
      ['Chart.yaml', `name: c\nannotations:\n  images: |\n    - image: quay.io/x/yy@${OLD}\n`],
      ['values.yaml', `a: quay.io/x/yy@${OLD}\n`],
      ['Images.lock', LOCK],
      [
        '.imgpkg/images.yml',
        `images:\n- annotations: {kbld.carvel.dev/id: quay.io/x/yy@${OLD}}\n  image: quay.io/x/yy@${OLD}\n`,
      ],
      ['charts/s/Chart.yaml', 'name: s\n'],
      ['charts/s/values.yaml', `image: {repository: quay.io/x/yy, digest: ${OLD}}\n`],
    ]);
    const chart = buildChart(files);
    const options = { prefix: 'acme.com/federal', replacedIndexes: REPLACED };
    const once = await relocateWith(chart, options);
    const texts = textsOf(once.tree);
    assert.equal(texts.get('values.yaml'), `a: acme.com/federal/x/yy@${NEW}\n`);
    assert.equal(texts.get('charts/s/values.yaml'), `image: {repository: acme.com/federal/x/yy, digest: ${NEW}}\n`);
    assert.equal(
      texts.get('.imgpkg/images.yml'),
      `images:\n- annotations: {kbld.carvel.dev/id: quay.io/x/yy@${OLD}}\n  image: acme.com/federal/x/yy@${NEW}\n`,
    );
    assert.match(texts.get('Images.lock') ?? '', new RegExp(`targetIndexDigest: ${NEW}`));
    const again = await relocateWith(buildChart(texts), options);
    assert.deepEqual(again.changes, []);
    assert.deepEqual(textsOf(again.tree), texts);
  });

  it('stand in the reference at the target', () => {
    const relocate = (text: string): unknown => relocateReference(parseReference(text), PREFIX, REPLACED);
    assert.deepEqual(relocate(`quay.io/x/yy:1@${OLD}`), parseReference(`acme.com/federal/x/yy:1@${NEW}`));
    assert.deepEqual(relocate(`acme.com/federal/x/yy@${OLD}`), parseReference(`acme.com/federal/x/yy@${NEW}`));
    assert.deepEqual(relocate(`quay.io/x/yy@${OTHER}`), parseReference(`acme.com/federal/x/yy@${OTHER}`));
    assert.deepEqual(relocate('quay.io/x/yy:1'), parseReference('acme.com/federal/x/yy:1'));
  });
});
