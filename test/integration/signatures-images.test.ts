import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushReferrer } from '../support/attested-images.ts';
import { createCosign, type SignatureForm, type TestCosign } from '../support/cosign.ts';
import { openFidelitySite, TARGET_KINDS, unwrapToJson, writeImageChart } from '../support/fidelity-site.ts';
import { assertIdentical } from '../support/foreign-clients.ts';
import { pushBlob, pushImage, randomBytesOf } from '../support/images.ts';

const SBOM = 'application/spdx+json';
const FORMS: readonly SignatureForm[] = ['bundle', 'classic'];

for (const kind of TARGET_KINDS) {
  test(`cosign verifies signatures and attestations in ${kind.name}, without the source`, async (t) => {
    const [cosign, stranger] = [await createCosign(t), await createCosign(t)];
    const site = await openFidelitySite(t, kind);
    if (cosign === undefined || stranger === undefined || site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const place = { host: source.host, repository: 'team/app' };
    const { digest, manifests } = await pushImage(source.host, 'team/app:1');
    const child = manifests[1]?.digest ?? digest;
    const sbom = await pushReferrer(place, { digest: child }, SBOM);
    const at = (host: string, path: string, subject: string): string => `${host}/${path}@${subject}`;
    for (const form of FORMS) {
      for (const subject of [digest, child]) {
        await cosign.sign(at(source.host, 'team/app', subject), form);
        await cosign.attest(at(source.host, 'team/app', subject), form);
      }
      await cosign.sign(at(source.host, 'team/app', sbom.digest), form);
    }
    await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'bare.tgz', '--no-referrers']);
    const sourceReferrers = await clients.referrers(at(source.host, 'team/app', digest));
    await source.close();

    const { images, warnings } = await unwrapToJson(site, 'w.tgz');
    assert.equal(images[0]?.digest, digest);
    assert.ok(warnings?.every((text) => text.includes('no values file names')));
    const to = (subject: string): string => at(target.host, 'm/team/app', subject);
    for (const form of FORMS) {
      for (const subject of [digest, child]) {
        await assertVerified(cosign, to(subject), form);
        assert.notEqual((await stranger.verify(to(subject), form)).code, 0);
      }
      const { code, stderr } = await cosign.verify(to(sbom.digest), form);
      assert.equal(code, 0, stderr);
      assert.notEqual((await cosign.verify(to(manifests[0]?.digest ?? ''), form)).code, 0, 'was not signed');
    }
    const byDigest = (left: { digest: string }, right: { digest: string }): number =>
      left.digest < right.digest ? -1 : 1;
    assert.deepEqual((await clients.referrers(to(digest))).toSorted(byDigest), sourceReferrers.toSorted(byDigest));
    assert.ok((await clients.referrers(to(child))).some(({ artifactType }) => artifactType === SBOM));

    for (const [file, flags] of [
      ['bare.tgz', []],
      ['w.tgz', ['--no-referrers']],
    ] as const) {
      await sandbox.runOk(['unwrap', file, `${target.host}/bare`, '--yes', ...flags]);
      const bare = at(target.host, 'bare/team/app', digest);
      assert.deepEqual(await clients.referrers(bare), []);
      assert.deepEqual(await clients.tags(`${target.host}/bare/team/app`), ['1']);
      for (const form of FORMS) assert.notEqual((await cosign.verify(bare, form)).code, 0);
    }
  });
}

test('an artifact of which a blob is missing fails its image', async (t) => {
  const [kind] = TARGET_KINDS.slice(-1);
  const site = kind && (await openFidelitySite(t, kind));
  if (site === undefined) return;
  const { sandbox, source } = site;
  const place = { host: source.host, repository: 'team/app' };
  const { digest } = await pushImage(source.host, 'team/app:1');
  await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
  for (const sizeBytes of [100, 200_000]) {
    const layer = await pushBlob(source.host, 'team/app', randomBytesOf('an SBOM', sizeBytes), SBOM);
    const sbom = await pushReferrer(place, { digest }, SBOM, { layers: [layer] });
    const url = `http://${source.host}/v2/team/app`;
    assert.equal((await fetch(`${url}/blobs/${layer.digest}`, { method: 'DELETE' })).status, 202);
    const { code, stderr } = await sandbox.run(['wrap', 'kinds', '--output-file', 'w.tgz']);
    assert.equal(code, 5, stderr);
    assert.ok(stderr.includes(`${layer.digest} was not found`), stderr);
    assert.ok(stderr.includes(`of the attached artifact ${sbom.digest}`), stderr);
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz', '--no-referrers']);
    assert.equal((await fetch(`${url}/manifests/${sbom.digest}`, { method: 'DELETE' })).status, 202);
  }
});

test('an image with a hundred artifacts keeps them all', async (t) => {
  for (const kind of TARGET_KINDS) {
    await t.test(kind.name, async (t) => {
      const site = await openFidelitySite(t, kind);
      if (site === undefined) return;
      const { sandbox, source, target, clients } = site;
      const place = { host: source.host, repository: 'team/app' };
      const { digest } = await pushImage(source.host, 'team/app:1', { platforms: ['linux/amd64'] });
      const types = Array.from({ length: 100 }, (_, index) => `application/x.number${String(index)}`);
      for (const type of types) await pushReferrer(place, { digest }, type);
      await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
      await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
      await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
      const found = await clients.referrers(`${target.host}/m/team/app@${digest}`);
      assert.deepEqual(found.map(({ artifactType }) => artifactType).toSorted(), types.toSorted());
      const [first] = found;
      await assertIdentical(clients, `${source.host}/team/app`, `${target.host}/m/team/app`, first?.digest ?? '');
    });
  }
});

async function assertVerified(cosign: TestCosign, image: string, form: SignatureForm): Promise<void> {
  for (const { code, stderr } of [await cosign.verify(image, form), await cosign.verifyAttestation(image, form)]) {
    assert.equal(code, 0, `${image} ${form}: ${stderr}`);
  }
}
