import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { load } from 'js-yaml';
import { pushAttestedImage, pushReferrer, type AttestedImage } from '../support/attested-images.ts';
import {
  DISTRIBUTION_3,
  EMBEDDED,
  openFidelitySite,
  TARGET_KINDS,
  unwrapToJson,
  writeImageChart,
  type FidelitySite,
  type TargetKind,
} from '../support/fidelity-site.ts';
import { assertIdentical } from '../support/foreign-clients.ts';
import { readStoredChart } from '../support/registry-content.ts';
import type { TestRegistryOptions } from '../support/registries.ts';

const ALL = ['linux/amd64', 'linux/arm64', 'linux/s390x'];
const CHOSEN = ['--platforms', 'linux/amd64,linux/s390x'];
const SIGNATURE = 'application/vnd.example.signature';

interface FilteredSite extends FidelitySite {
  readonly app: AttestedImage;
  /** Named by its digest only. */
  readonly pinned: AttestedImage;
  /** Attached to the index of `app`, to its first platform, and to the one that is not chosen. */
  readonly signatures: { readonly ofIndex: string; readonly ofChild: string; readonly ofOther: string };
}

for (const kind of TARGET_KINDS) {
  test(`an index that ${kind.name} refuses becomes one of the wrapped platforms, and everything says so`, async (t) => {
    const site = await openFilteredSite(t, kind);
    if (site === undefined) return;
    const { source, target, clients, app, pinned, signatures } = site;
    const first = await unwrapToJson(site, 'w.tgz');
    const { digest = '' } = first.images.find(({ target: name }) => name.endsWith('/app:1')) ?? {};
    assert.equal(await clients.digest(`${target.host}/m/team/app:1`), digest);
    assert.notEqual(digest, app.index.digest);
    const replaced = first.images.find(({ target: name }) => name.includes('/pinned@'))?.digest ?? '';
    assert.equal(await clients.digest(`${target.host}/m/team/pinned@${replaced}`), replaced);
    assert.equal(first.summary.identicalImages, 0);

    const warnings = (first.warnings ?? []).join('\n');
    for (const name of [digest, app.index.digest, replaced, pinned.index.digest])
      assert.ok(warnings.includes(name), warnings);
    assert.match(warnings, new RegExp(`left out: .*${SIGNATURE} ${signatures.ofIndex}`));
    assert.ok(!warnings.includes(signatures.ofChild));
    for (const digest of [signatures.ofIndex, signatures.ofOther]) {
      assert.equal(await clients.digest(`${target.host}/m/team/app@${digest}`), undefined);
    }
    assert.ok(!warnings.includes(signatures.ofOther), 'was left out with its platform');
    const child = app.children.get('linux/amd64')?.image ?? '';
    const [kept] = await clients.referrers(`${target.host}/m/team/app@${child}`);
    assert.equal(kept?.digest, signatures.ofChild);
    await assertIdentical(clients, `${source.host}/team/app`, `${target.host}/m/team/app`, signatures.ofChild);

    const { files } = await readStoredChart(target.host, 'm/kinds', '1.0.0');
    const values = load(files.get('values.yaml')?.toString() ?? '') as Values;
    assert.deepEqual(values, {
      app: { image: { registry: target.host, repository: 'm/team/app', tag: '1', digest } },
      pinned: `${target.host}/m/team/pinned@${replaced}`,
    });
    assert.deepEqual(await readIndexDigests(site), [
      { indexDigest: app.index.digest, targetIndexDigest: digest },
      { indexDigest: pinned.index.digest, targetIndexDigest: replaced },
    ]);

    const again = await unwrapToJson(site, 'w.tgz');
    assert.equal(again.charts[0]?.digest, first.charts[0]?.digest);
    assert.deepEqual([again.summary.presentImages, again.summary.blobs.written], [2, 0]);
  });

  test(`--index sparse fails in ${kind.name} before the chart is pushed`, async (t) => {
    const site = await openFilteredSite(t, kind);
    if (site === undefined) return;
    const { sandbox, target, clients } = site;
    const { code, stderr } = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--index', 'sparse']);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /--index auto/);
    assert.match(stderr, /chart was not pushed/);
    assert.equal(await clients.digest(`${target.host}/m/team/app:1`), undefined);
    assert.equal(await clients.digest(`${target.host}/m/kinds:1.0.0`), undefined);
  });
}

for (const kind of [DISTRIBUTION_3, EMBEDDED]) {
  test(`an index that ${kind.name} takes sparse keeps its digest, its pins and its signatures`, async (t) => {
    const site = await openFilteredSite(t, kind, { sparseIndexes: true });
    if (site === undefined) return;
    const { sandbox, source, target, clients, app, pinned, signatures } = site;
    const { summary, warnings } = await unwrapToJson(site, 'w.tgz');
    assert.deepEqual([summary.identicalImages, warnings], [2, undefined]);
    const to = `${target.host}/m/team/app`;
    assert.equal(await clients.digest(`${to}:1`), app.index.digest);
    assert.equal(await clients.digest(`${target.host}/m/team/pinned@${pinned.index.digest}`), pinned.index.digest);
    const [kept] = await clients.referrers(`${to}@${app.index.digest}`);
    assert.equal(kept?.digest, signatures.ofIndex);
    assert.equal(await clients.digest(`${to}@${signatures.ofOther}`), undefined);
    assert.equal(await clients.digest(`${to}@${app.children.get('linux/arm64')?.image ?? ''}`), undefined);
    const { files } = await readStoredChart(target.host, 'm/kinds', '1.0.0');
    const values = load(files.get('values.yaml')?.toString() ?? '') as Values;
    assert.equal(values.app.image.digest, app.index.digest);
    assert.ok((await readIndexDigests(site)).every(({ targetIndexDigest }) => targetIndexDigest === undefined));

    // What is missing comes later: the tag alone does not tell that everything is there.
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'all.tgz']);
    const later = await unwrapToJson(site, 'all.tgz');
    assert.equal(later.summary.presentImages, 0);
    await assertIdentical(clients, `${source.host}/team/app`, to, '1');
    const last = await unwrapToJson(site, 'all.tgz');
    assert.deepEqual([last.summary.presentImages, last.summary.blobs.written], [2, 0]);
  });

  test(`--index filtered leaves the original index out where ${kind.name} would take it`, async (t) => {
    const site = await openFilteredSite(t, kind, { sparseIndexes: true });
    if (site === undefined) return;
    const { target, clients, app } = site;
    const { images } = await unwrapToJson(site, 'w.tgz', ['--index', 'filtered']);
    const digest = await clients.digest(`${target.host}/m/team/app:1`);
    assert.notEqual(digest, app.index.digest);
    assert.deepEqual([images[0]?.digest, images[0]?.sourceDigest], [digest, app.index.digest]);
    await clients.validate(`${target.host}/m/team/app:1`);
  });
}

test('--index full refuses a wrap of some platforms before anything is pushed, and takes a whole one', async (t) => {
  const site = await openFilteredSite(t, EMBEDDED, { sparseIndexes: true });
  if (site === undefined) return;
  const { sandbox, target } = site;
  const { code, stderr } = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--index', 'full']);
  assert.notEqual(code, 0);
  assert.match(stderr, /some platforms of .*team\/app:1 only/);
  const catalog = (await (await fetch(`http://${target.host}/v2/_catalog`)).json()) as { repositories: string[] };
  assert.deepEqual(catalog.repositories, []);
  await sandbox.runOk(['wrap', 'kinds', '--platforms', ALL.join(), '--output-file', 'w.tgz']);
  assert.equal((await unwrapToJson(site, 'w.tgz', ['--index', 'full'])).summary.identicalImages, 2);
});

interface Values {
  readonly app: { readonly image: { readonly digest: string } };
  readonly pinned: string;
}

/** A chart with a tagged and a pinned image, and `w.tgz` with two of their three platforms. */
async function openFilteredSite(
  t: TestContext,
  kind: TargetKind,
  options: TestRegistryOptions = {},
): Promise<FilteredSite | undefined> {
  const site = await openFidelitySite(t, kind, options);
  if (site === undefined) return undefined;
  const { sandbox, source } = site;
  const place = { host: source.host, repository: 'team/app' };
  const app = await pushAttestedImage(place, '1', ALL);
  const pinned = await pushAttestedImage({ host: source.host, repository: 'team/pinned' }, '1', ALL);
  const child = { digest: app.children.get('linux/amd64')?.image ?? app.index.digest };
  const other = { digest: app.children.get('linux/arm64')?.image ?? app.index.digest };
  const signatures = {
    ofIndex: (await pushReferrer(place, app.index, SIGNATURE)).digest,
    ofChild: (await pushReferrer(place, child, SIGNATURE)).digest,
    ofOther: (await pushReferrer(place, other, SIGNATURE)).digest,
  };
  const pin = `${source.host}/team/pinned@${pinned.index.digest}`;
  const values = `app:
  image:
    registry: ${source.host}
    repository: team/app
    tag: "1"
    digest: ${app.index.digest}
pinned: ${pin}
`;
  await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`, pin], files: { 'values.yaml': values } });
  await sandbox.runOk(['wrap', 'kinds', ...CHOSEN, '--output-file', 'w.tgz']);
  return { ...site, app, pinned, signatures };
}

async function readIndexDigests({
  target,
}: FidelitySite): Promise<{ indexDigest?: string; targetIndexDigest?: string }[]> {
  const { files } = await readStoredChart(target.host, 'm/kinds', '1.0.0');
  const lock = load(files.get('Images.lock')?.toString() ?? '') as {
    images: { indexDigest?: string; targetIndexDigest?: string }[];
  };
  return lock.images.map(({ indexDigest, targetIndexDigest }) => ({
    ...(indexDigest === undefined ? {} : { indexDigest }),
    ...(targetIndexDigest === undefined ? {} : { targetIndexDigest }),
  }));
}
