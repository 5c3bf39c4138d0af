import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTextRelocation } from '../../../../src/domain/proof/expected-moves.ts';
import { isExplainedDifference, type ExpectedMoves } from '../../../../src/domain/proof/explained-difference.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import { NO_REPLACED_INDEXES } from '../../../../src/domain/relocation/replaced-indexes.ts';

const P = 'registry.internal:5000/mirror';
const DIGEST = `sha256:${'a'.repeat(63)}1`;
const SUM = 'd7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592';
const OTHER_SUM = 'ef537f25c895bfa782526529a9b63d97aa631564d5d789c2b765448c8635fb6c';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const EXPECTED: ExpectedMoves = {
  relocateText: createTextRelocation(parseRelocationPrefix(P), NO_REPLACED_INDEXES),
  images: new Set(['composer:1.6']),
  replaced: [
    { from: 'docker.io', to: 'registry.internal:5000' },
    { from: 'quay.io', to: P },
    { from: 'team/app', to: 'mirror/team/app' },
  ],
};

type Row = readonly [name: string, before: string, after: string];

const EXPLAINED: readonly Row[] = [
  ['nothing', 'replicas: 3', 'replicas: 3'],
  ['an image', 'image: quay.io/team/app:1', `image: ${P}/team/app:1`],
  ['an image in quotes', '- image: "quay.io/a/b/c:1"', `- image: "${P}/b/c:1"`],
  ['an image with a digest', `image: quay.io/team/app@${DIGEST}`, `image: ${P}/team/app@${DIGEST}`],
  ['an image with tag and digest', `x: quay.io/team/app:1@${DIGEST}`, `x: ${P}/team/app:1@${DIGEST}`],
  ['an image of Docker Hub without its registry', 'image: nginx:1', `image: ${P}/library/nginx:1`],
  ['an image behind a flag', '  - --image=ghcr.io/a/b:1', `  - --image=${P}/a/b:1`],
  ['two images of one line', 'run ghcr.io/a/b:1 ghcr.io/a/c:1 now', `run ${P}/a/b:1 ${P}/a/c:1 now`],
  ['a list in a text', 'images: "ghcr.io/a/b:1,ghcr.io/a/c:2"', `images: "${P}/a/b:1,${P}/a/c:2"`],
  ['an image at the end of a sentence', '# made of quay.io/team/app:1.', `# made of ${P}/team/app:1.`],
  ['a copy of an edited registry', 'hub: docker.io', 'hub: registry.internal:5000'],
  ['a copy of an edited registry with more behind it', 'hub: docker.io/v2/', 'hub: registry.internal:5000/v2/'],
  ['a copy of an edited repository', 'repository: team/app', 'repository: mirror/team/app'],
  ['a bare image behind a key that says so', 'image: redis', `image: ${P}/library/redis`],
  ['a copy at the end of a sentence', '# pulled from docker.io.', '# pulled from registry.internal:5000.'],
  ['a URL', 'url: https://docker.io/v2/x', 'url: https://registry.internal:5000/v2/x'],
  ['a URL with an image', 'url: oci://quay.io/team/app:1', `url: oci://${P}/team/app:1`],
  ['JSON inside of text', '{"image":"quay.io/team/app:1","n":3}', `{"image":"${P}/team/app:1","n":3}`],
  ['JSON with escapes', String.raw`x: "{\"i\":\"quay.io/a/b:1\"}"`, String.raw`x: "{\"i\":\"${P}/a/b:1\"}"`],
  ['a checksum', `checksum/config: ${SUM}`, `checksum/config: ${OTHER_SUM}`],
  ['a short checksum behind a name', 'name: config-d7a8fbb307', 'name: config-ef537f25c8'],
  ['base64', `data: ${base64('image: quay.io/team/app:1\n')}`, `data: ${base64(`image: ${P}/team/app:1\n`)}`],
  [
    'base64 of base64',
    `data: ${base64(base64('image: quay.io/team/app:1\n'))}`,
    `data: ${base64(base64(`image: ${P}/team/app:1\n`))}`,
  ],
];

const UNEXPLAINED: readonly Row[] = [
  ['a changed number', 'replicas: 3', 'replicas: 4'],
  ['a changed word', 'mode: simple', 'mode: double'],
  ['a bare word that is called like an image', 'mode: redis', `mode: ${P}/library/redis`],
  ['a program that is called like an image', '- redis-server', `- ${P}/library/redis-server`],
  ['a changed word beside a moved image', 'old quay.io/team/app:1', `new ${P}/team/app:1`],
  ['a changed number beside a moved image in JSON', '{"i":"quay.io/a/b:1","n":3}', `{"i":"${P}/a/b:1","n":4}`],
  ['an image in the wrong place', 'image: quay.io/team/app:1', 'image: registry.internal:5000/team/app:1'],
  ['an image of another name', 'image: quay.io/team/app:1', `image: ${P}/team/other:1`],
  ['an image with another tag', 'image: quay.io/team/app:1', `image: ${P}/team/app:2`],
  ['an image without its tag', 'image: quay.io/team/app:1', `image: ${P}/team/app`],
  ['an image with another digest', `x: quay.io/a/b@${DIGEST}`, `x: ${P}/a/b@sha256:${'b'.repeat(63)}1`],
  ['an image moved twice', 'image: quay.io/team/app:1', `image: ${P}/mirror/team/app:1`],
  ['an image that was under the prefix', `image: ${P}/team/app:1`, `image: ${P}/mirror/team/app:1`],
  ['an image moved back', `image: ${P}/team/app:1`, 'image: quay.io/team/app:1'],
  ['a removed word', 'run quay.io/team/app:1 now', `run ${P}/team/app:1`],
  ['an added word', 'run quay.io/team/app:1', `run ${P}/team/app:1 now`],
  ['other blanks', 'a:  quay.io/team/app:1', `a: ${P}/team/app:1`],
  ['other quotes', "a: 'quay.io/team/app:1'", `a: "${P}/team/app:1"`],
  ['everything removed', 'image: quay.io/team/app:1', ''],
  ['a word that only begins like an edited value', 'zone: docker.iology', 'zone: registry.internal:5000logy'],
  ['an edited value in the middle of a word', 'name: my-docker.io', 'name: my-registry.internal:5000'],
  ['a URL with another scheme', 'url: https://docker.io', 'url: http://registry.internal:5000'],
  ['a URL with a scheme of the same length', 'url: https://docker.io', 'url: httpx://registry.internal:5000'],
  ['a word that holds an edited value', 'name: abcdefghi/docker.io', 'name: registry.internal:5000/docker.io'],
  ['a name made of an image', 'name: quay.io-team-app', 'name: registry.internal-5000-mirror-team-app'],
  ['a longer checksum', `sum: ${SUM}`, `sum: ${OTHER_SUM}00`],
  ['a checksum of another name', 'name: config-d7a8fbb307', 'name: secret-ef537f25c8'],
  ['a number as long as a checksum', 'serial: 1234567890', 'serial: 1234567891'],
  ['a word of the letters of a checksum', 'drink: decaffeed', 'drink: decadeced'],
  ['base64 with another number', `d: ${base64('quay.io/a/b:1 and 3 cups')}`, `d: ${base64(`${P}/a/b:1 and 4 cups`)}`],
  ['base64 of bytes', `d: ${'/'.repeat(20)}`, `d: ${'+/'.repeat(10)}`],
  ['base64 that became text', `d: ${base64('image: quay.io/team/app:1')}`, `d: image: ${P}/team/app:1`],
];

describe('isExplainedDifference', () => {
  for (const [name, before, after] of EXPLAINED) {
    it(`takes ${name}`, () => {
      assert.equal(isExplainedDifference(before, after, EXPECTED), true);
    });
  }

  for (const [name, before, after] of UNEXPLAINED) {
    it(`does not take ${name}`, () => {
      assert.equal(isExplainedDifference(before, after, EXPECTED), false);
    });
  }

  it('looks into encodings three deep and no deeper', () => {
    const wrap = (text: string, times: number): string => (times === 0 ? text : wrap(base64(text), times - 1));
    const explains = (times: number): boolean =>
      isExplainedDifference(wrap('quay.io/team/app:1', times), wrap(`${P}/team/app:1`, times), EXPECTED);
    assert.deepEqual([1, 2, 3, 4].map(explains), [true, true, true, false]);
  });

  it('takes no copy of a value that was not edited', () => {
    const nothing = { ...EXPECTED, replaced: [] };
    assert.equal(isExplainedDifference('hub: docker.io', 'hub: registry.internal:5000', nothing), false);
  });

  it('takes a long line without going over it again and again', () => {
    const words = (name: string): string =>
      Array.from({ length: 20_000 }, (_, index) => `${name}:${String(index)}`).join(' ');
    assert.equal(isExplainedDifference(words('quay.io/a/b'), words(`${P}/a/b`), EXPECTED), true);
  });
});
