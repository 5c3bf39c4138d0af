import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { pushAttestedImage, pushReferrer } from '../support/attested-images.ts';
import {
  EMBEDDED,
  openFidelitySite,
  TARGET_KINDS,
  unwrapToJson,
  writeImageChart,
  type FidelitySite,
} from '../support/fidelity-site.ts';
import { assertIdentical } from '../support/foreign-clients.ts';
import { pushRawImage, pushRawIndex } from '../support/raw-images.ts';

const ALL = ['linux/amd64', 'linux/arm64/v8', 'linux/arm/v6', 'linux/arm/v7', 'linux/s390x'];
const CHOSEN = ['linux/amd64', 'linux/arm64/v8', 'linux/arm/v7'];

interface Lock {
  readonly images: readonly {
    readonly indexDigest?: string;
    readonly digests: readonly { readonly digest: string; readonly arch: string; readonly variant?: string }[];
  }[];
}

for (const kind of TARGET_KINDS) {
  test(`chosen platforms come with their variants and attestations into ${kind.name}`, async (t) => {
    const site = await openFidelitySite(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const place = { host: source.host, repository: 'team/app' };
    const { index, children } = await pushAttestedImage(place, '1', ALL);
    await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
    await sandbox.runOk(['wrap', 'kinds', '--platforms', CHOSEN.join(), '--output-file', 'w.tgz']);
    assert.deepEqual((await readLock(site)).images[0]?.digests, [
      { digest: children.get('linux/amd64')?.image, arch: 'linux/amd64' },
      { digest: children.get('linux/arm64/v8')?.image, arch: 'linux/arm64', variant: 'v8' },
      { digest: children.get('linux/arm/v7')?.image, arch: 'linux/arm', variant: 'v7' },
    ]);
    assert.equal((await readLock(site)).images[0]?.indexDigest, index.digest);

    const { images } = await unwrapToJson(site, 'w.tgz');
    const to = `${target.host}/m/team/app`;
    const kept = CHOSEN.map((platform) => children.get(platform));
    const document = JSON.parse((await clients.manifest(`${to}:1`)).toString()) as {
      manifests: { digest: string; annotations?: Record<string, string> }[];
    };
    assert.deepEqual(
      document.manifests.map(({ digest }) => digest),
      [...kept.map((child) => child?.image), ...kept.map((child) => child?.attestation)],
    );
    assert.equal(images[0]?.sourceDigest, index.digest);
    assert.equal(images[0].digest, await clients.digest(`${to}:1`));
    for (const { digest } of document.manifests) await assertIdentical(clients, `${source.host}/team/app`, to, digest);
    for (const platform of ['linux/arm/v6', 'linux/s390x']) {
      const left = children.get(platform);
      assert.equal(await clients.digest(`${to}@${left?.image ?? ''}`), undefined);
      assert.equal(await clients.digest(`${to}@${left?.attestation ?? ''}`), undefined);
    }
  });

  test(`platforms of an index in an index in ${kind.name}`, async (t) => {
    const site = await openFidelitySite(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const place = { host: source.host, repository: 'team/nested' };
    const platformOf = (architecture: string): object => ({ platform: { os: 'linux', architecture } });
    const [amd, arm, s390x] = await Promise.all(
      ['amd64', 'arm64', 's390x'].map(async (name) => ({
        ...(await pushRawImage(place, { platform: `linux/${name}` })),
        ...platformOf(name),
      })),
    );
    assert.ok(amd !== undefined && arm !== undefined && s390x !== undefined);
    const whole = await pushRawIndex(place, [amd]);
    const half = await pushRawIndex(place, [amd, s390x]);
    const gone = await pushRawIndex(place, [s390x]);
    const ofHalf = await pushReferrer(place, half, 'application/vnd.example.signature');
    const ofWhole = await pushReferrer(place, whole, 'application/vnd.example.signature');
    await pushRawIndex(place, [whole, half, gone, arm], { tag: '1', fields: { annotations: { kept: 'yes' } } });
    await writeImageChart(sandbox, { images: [`${source.host}/team/nested:1`] });
    await sandbox.runOk(['wrap', 'kinds', '--platforms', 'linux/amd64,linux/arm64', '--output-file', 'w.tgz']);
    const { charts, warnings = [] } = await unwrapToJson(site, 'w.tgz');

    const to = `${target.host}/m/team/nested`;
    assert.ok(warnings.some((text) => text.includes('left out') && text.includes(ofHalf.digest)));
    assert.equal(await clients.digest(`${to}@${ofHalf.digest}`), undefined);
    assert.deepEqual(
      (await clients.referrers(`${to}@${whole.digest}`)).map(({ digest }) => digest),
      [ofWhole.digest],
    );
    const read = async (identifier: string): Promise<{ manifests: { digest: string }[]; annotations?: object }> =>
      JSON.parse((await clients.manifest(`${to}${identifier}`)).toString()) as { manifests: { digest: string }[] };
    const root = await read(':1');
    assert.deepEqual(root.annotations, { kept: 'yes' });
    const [first, second, third, ...more] = root.manifests.map(({ digest }) => digest);
    assert.deepEqual([first, third, more], [whole.digest, arm.digest, []]);
    assert.deepEqual(
      (await read(`@${second ?? ''}`)).manifests.map(({ digest }) => digest),
      [amd.digest],
    );
    await clients.validate(`${to}:1`);

    const again = await unwrapToJson(site, 'w.tgz');
    assert.equal(again.charts[0]?.digest, charts[0]?.digest);
    assert.deepEqual([again.summary.presentImages, again.summary.blobs.written], [1, 0]);
  });
}

test('a platform that no image has ends the wrap, with those that there are', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source } = site;
  await pushAttestedImage({ host: source.host, repository: 'team/app' }, '1', ALL);
  await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
  for (const wanted of ['linux/ppc64le', 'linux/arm/v5', 'windows/amd64']) {
    const { code, stderr } = await sandbox.run(['wrap', 'kinds', '--platforms', wanted, '--output-file', 'w.tgz']);
    assert.notEqual(code, 0);
    assert.ok(stderr.includes(`has none of the platforms ${wanted}`), stderr);
    assert.ok(stderr.includes(`It has ${ALL.join(', ')}.`), stderr);
  }
});

test('a platform without a variant takes all its variants', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source } = site;
  await pushAttestedImage({ host: source.host, repository: 'team/app' }, '1', ALL);
  await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
  await sandbox.runOk(['wrap', 'kinds', '--platforms', 'linux/arm', '--output-file', 'w.tgz']);
  const digests = (await readLock(site)).images[0]?.digests ?? [];
  assert.deepEqual(
    digests.map(({ arch, variant }) => `${arch}/${variant ?? ''}`),
    ['linux/arm/v6', 'linux/arm/v7'],
  );
});

async function readLock({ sandbox }: FidelitySite): Promise<Lock> {
  const text = await sandbox.runOk(['-xzOf', 'w.tgz', 'kinds-1.0.0/chart/Images.lock'], { command: 'tar' });
  return load(text) as Lock;
}
