import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushReferrer } from '../support/attested-images.ts';
import { createCosign } from '../support/cosign.ts';
import { EMBEDDED, openFidelitySite, TARGET_KINDS, unwrapToJson, writeImageChart } from '../support/fidelity-site.ts';
import { pushImage } from '../support/images.ts';
import { requireTool } from '../support/tools.ts';

for (const kind of TARGET_KINDS) {
  test(`what a site has signed in ${kind.name} stays, and bundles of both are there`, async (t) => {
    const [cosign, own] = [await createCosign(t), await createCosign(t)];
    const site = await openFidelitySite(t, kind);
    if (cosign === undefined || own === undefined || site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const { digest } = await pushImage(source.host, 'team/app:1');
    const from = `${source.host}/team/app@${digest}`;
    for (const form of ['bundle', 'classic'] as const) await cosign.sign(from, form);
    await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);

    // The site signs before the signatures of the wrap come, and once more behind them.
    const early = `${target.host}/early/team/app@${digest}`;
    await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/early`, '--yes', '--no-referrers']);
    for (const form of ['bundle', 'classic'] as const) await own.sign(early, form);
    const sig = `${target.host}/early/team/app:${digest.replace(':', '-')}.sig`;
    const before = await clients.digest(sig);
    const said = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/early`, '--yes']);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stderr, /\.sig has entries that the wrap does not have, and is left as it is/);
    assert.equal(await clients.digest(sig), before);
    assert.equal((await own.verify(early, 'classic')).code, 0);
    const signers = [own, cosign];
    for (const signer of signers) assert.equal((await signer.verify(early, 'bundle')).code, 0);

    const late = `${target.host}/m/team/app@${digest}`;
    await unwrapToJson(site, 'w.tgz');
    for (const form of ['bundle', 'classic'] as const) await own.sign(late, form);
    const entries = await clients.referrers(late);
    await unwrapToJson(site, 'w.tgz');
    for (const form of ['bundle', 'classic'] as const) {
      for (const signer of signers) assert.equal((await signer.verify(late, form)).code, 0);
    }
    assert.deepEqual(await clients.referrers(late), entries);
  });
}

test('an older wrap does not take away a signature over the same payload', async (t) => {
  const [first, second] = [await createCosign(t), await createCosign(t)];
  const site = await openFidelitySite(t, EMBEDDED);
  if (first === undefined || second === undefined || site === undefined) return;
  const { sandbox, source, target } = site;
  const { digest } = await pushImage(source.host, 'team/app:1');
  await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
  for (const [signer, file] of [
    [first, 'old.tgz'],
    [second, 'new.tgz'],
  ] as const) {
    await signer.sign(`${source.host}/team/app@${digest}`, 'classic');
    await sandbox.runOk(['wrap', 'kinds', '--output-file', file]);
  }
  for (const file of ['new.tgz', 'old.tgz']) await unwrapToJson(site, file);
  for (const signer of [first, second]) {
    const { code, stderr } = await signer.verify(`${target.host}/m/team/app@${digest}`, 'classic');
    assert.equal(code, 0, stderr);
  }
});

test('every layout of an unpacked wrap is complete for crane, skopeo and regctl', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  const [crane, skopeo] = [requireTool(t, 'crane'), requireTool(t, 'skopeo')];
  if (site === undefined || crane === undefined || skopeo === undefined) return;
  const { sandbox, source, target, clients } = site;
  const place = { host: source.host, repository: 'team/app' };
  const app = await pushImage(source.host, 'team/app:1', { layerBytes: 100_000 });
  // The same large layers in another image: hard links in the wrap.
  await pushImage(source.host, 'team/twin:1', { layerBytes: 100_000, platforms: ['linux/amd64', 'linux/s390x'] });
  const sbom = await pushReferrer(place, { digest: app.manifests[0]?.digest ?? app.digest }, 'application/spdx+json');
  const signature = await pushReferrer(place, sbom, 'application/vnd.example.signature');
  await writeImageChart(sandbox, { images: ['app', 'twin'].map((name) => `${source.host}/team/${name}:1`) });
  await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
  await sandbox.runOk(['-xzf', 'w.tgz'], { command: 'tar' });
  const folder = join(sandbox.work, 'kinds-1.0.0/images');
  const layouts = (await readdir(folder)).map((name) => ({ name, hex: name.replace(/\.layout$/, '') }));
  // Three platform images, two indexes, two artifacts.
  assert.equal(layouts.length, 7);
  for (const { digest } of [sbom, signature]) {
    assert.ok(
      layouts.some(({ hex }) => digest.endsWith(hex)),
      'artifacts have a layout',
    );
  }
  for (const { name, hex } of layouts) {
    const [layout, digest] = [join(folder, name), `sha256:${hex}`];
    await sandbox.runOk(['push', layout, `${target.host}/scratch:${hex.slice(0, 8)}`], { command: crane });
    assert.equal(await clients.digest(`${target.host}/scratch:${hex.slice(0, 8)}`), digest);
    const raw = await sandbox.runOk(['inspect', '--raw', `oci:${layout}`], { command: skopeo });
    assert.deepEqual(Buffer.from(raw), await clients.manifest(`${target.host}/scratch@${digest}`));
    const { layers = [] } = JSON.parse(raw) as { layers?: { digest: string; size: number }[] };
    assert.equal(
      await clients.regctl(target.host, ['manifest', 'head', `ocidir://${layout}@${digest}`]),
      `${digest}\n`,
    );
    for (const layer of layers) {
      await clients.regctl(target.host, ['blob', 'head', `ocidir://${layout}`, layer.digest]);
    }
  }
});
