import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCosign } from '../../support/cosign.ts';
import { DISTRIBUTION_3, openFidelitySite, writeImageChart } from '../../support/fidelity-site.ts';
import { pushImage } from '../../support/images.ts';

test('signatures of both kinds go through layouts and verify, unless they are left out', async (t) => {
  const cosign = await createCosign(t);
  const site = await openFidelitySite(t, DISTRIBUTION_3);
  if (cosign === undefined || site === undefined) return;
  const { sandbox, source, target, clients } = site;
  const image = await pushImage(source.host, 'team/app:1');
  await cosign.sign(`${source.host}/team/app@${image.digest}`, 'classic');
  await cosign.attest(`${source.host}/team/app@${image.digest}`);
  await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
  await sandbox.runOk(['images', 'lock', 'kinds']);
  const pulled = JSON.parse(await sandbox.runOk(['images', 'pull', 'kinds', '--json'])) as {
    images: { digest: string; attachedCount: number }[];
  };
  assert.deepEqual(
    pulled.images.map(({ digest, attachedCount }) => ({ digest, attachedCount })),
    [{ digest: image.digest, attachedCount: 2 }],
  );
  for (const [prefix, flags] of [
    ['all', []],
    ['bare', ['--no-referrers']],
  ] as const) {
    await sandbox.runOk(['charts', 'relocate', 'kinds', `${target.host}/${prefix}`, '--naming', 'basename']);
    await sandbox.runOk(['images', 'push', 'kinds', ...flags]);
    const place = `${target.host}/${prefix}/app`;
    assert.equal(await clients.digest(`${place}:1`), image.digest);
    const isSigned = prefix === 'all';
    assert.equal((await cosign.verify(`${place}@${image.digest}`, 'classic')).code === 0, isSigned);
    assert.equal((await cosign.verifyAttestation(`${place}@${image.digest}`)).code === 0, isSigned);
  }
});
