import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MEDIA_TYPE_EMPTY_CONFIG, MEDIA_TYPE_OCI_INDEX } from '../../src/domain/oci/media-types.ts';
import { pushReferrer } from '../support/attested-images.ts';
import { createCosign } from '../support/cosign.ts';
import {
  DISTRIBUTION_2,
  DISTRIBUTION_3,
  EMBEDDED,
  openFidelitySite,
  unwrapToJson,
  writeImageChart,
} from '../support/fidelity-site.ts';
import { assertIdentical } from '../support/foreign-clients.ts';
import { pushBlob, pushImage } from '../support/images.ts';
import { pushRawImage, pushRawIndex, pushRawManifest } from '../support/raw-images.ts';

for (const sourceKind of [DISTRIBUTION_2, DISTRIBUTION_3]) {
  for (const kind of [EMBEDDED, sourceKind]) {
    test(`signatures go from ${sourceKind.name}, which lists them under a tag, to ${kind.name}`, async (t) => {
      const cosign = await createCosign(t);
      const site = await openFidelitySite(t, kind, {}, sourceKind);
      if (cosign === undefined || site === undefined) return;
      const { sandbox, source, target, clients } = site;
      const { digest, manifests } = await pushImage(source.host, 'team/app:1');
      const subjects = [digest, manifests[0]?.digest ?? digest];
      for (const subject of subjects) {
        await cosign.sign(`${source.host}/team/app@${subject}`);
        await cosign.attest(`${source.host}/team/app@${subject}`);
      }
      await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
      await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
      await source.close();
      await unwrapToJson(site, 'w.tgz');
      for (const subject of subjects) {
        const to = `${target.host}/m/team/app@${subject}`;
        assert.equal((await cosign.verify(to)).code, 0);
        assert.equal((await cosign.verifyAttestation(to)).code, 0);
        assert.equal((await clients.referrers(to)).length, 2);
      }
      // The list of the source is no artifact of its own: the target has its own, or an API.
      const tags = await clients.tags(`${target.host}/m/team/app`);
      assert.deepEqual(
        tags.toSorted(),
        ['1', ...(kind === EMBEDDED ? [] : subjects.map((subject) => subject.replace(':', '-')))].toSorted(),
      );
    });
  }
}

for (const kind of [DISTRIBUTION_2, DISTRIBUTION_3, EMBEDDED]) {
  test(`artifacts of every shape are attached in ${kind.name}`, async (t) => {
    const site = await openFidelitySite(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const place = { host: source.host, repository: 'team/app' };
    const { digest } = await pushImage(source.host, 'team/app:1', { platforms: ['linux/amd64'] });
    const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 7 };
    // An index with a subject, whose children are attached to nothing; odd bytes; no layers; an old config type.
    const children = [await pushRawImage(place, { seed: 'x' }), await pushRawImage(place, { seed: 'y' })];
    const index = await pushRawIndex(place, children, { fields: { subject, artifactType: 'application/x.index' } });
    const config = await pushBlob(source.host, 'team/app', Buffer.from('{}'), MEDIA_TYPE_EMPTY_CONFIG);
    const odd = await pushRawManifest(
      place,
      subject.mediaType,
      {
        subject,
        layers: [],
        config,
        artifactType: 'application/x.odd',
        mediaType: subject.mediaType,
        schemaVersion: 2,
      },
      { format: (document) => `\n${JSON.stringify(document, null, '\t')}\n` },
    );
    const typed = await pushBlob(source.host, 'team/app', Buffer.from('1'), 'application/x.config');
    const old = await pushRawImage(place, { config: typed, fields: { subject } });
    const deep = await pushReferrer(
      place,
      await pushReferrer(place, odd, 'application/x.second'),
      'application/x.third',
    );
    const wanted = [index, odd, old].map((artifact) => artifact.digest).toSorted();

    await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
    await unwrapToJson(site, 'w.tgz');
    const [from, to] = [`${source.host}/team/app`, `${target.host}/m/team/app`];
    const found = await clients.referrers(`${to}@${digest}`);
    assert.deepEqual(found.map((artifact) => artifact.digest).toSorted(), wanted);
    assert.deepEqual(found.map(({ artifactType }) => artifactType).toSorted(), [
      'application/x.config',
      'application/x.index',
      'application/x.odd',
    ]);
    for (const artifact of [...wanted, deep.digest]) await assertIdentical(clients, from, to, artifact);
    const [second] = await clients.referrers(`${to}@${odd.digest}`);
    const [third] = await clients.referrers(`${to}@${second?.digest ?? ''}`);
    assert.equal(third?.digest, deep.digest);
    assert.equal(index.mediaType, MEDIA_TYPE_OCI_INDEX);
  });
}
