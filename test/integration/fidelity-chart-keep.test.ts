import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { pushShopImages, SHOP_IMAGES, writeShopChart } from '../support/charts.ts';
import { createCosign } from '../support/cosign.ts';
import {
  EMBEDDED,
  openFidelitySite,
  TARGET_KINDS,
  unwrapToJson,
  type FidelitySite,
  type TargetKind,
} from '../support/fidelity-site.ts';
import { readStoredChart } from '../support/registry-content.ts';
import { packSignedShop, type SignedChart } from '../support/signed-charts.ts';
import { requireTool } from '../support/tools.ts';

interface ChartSite extends FidelitySite {
  readonly helms: readonly string[];
  readonly helm: string;
  readonly chart: SignedChart;
}

interface ChartManifest {
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
}

for (const kind of TARGET_KINDS) {
  test(`a chart of a registry that is kept verifies with helm and cosign in ${kind.name}, without the source`, async (t) => {
    const cosign = await createCosign(t);
    const site = await openChartSite(t, kind);
    if (cosign === undefined || site === undefined) return;
    const { sandbox, source, target, clients, helm, helms, chart } = site;
    await sandbox.runOk(['push', chart.archivePath, `oci://${source.host}/charts`, '--plain-http'], { command: helm });
    const from = `${source.host}/charts/shop`;
    const digest = await clients.digest(`${from}:1.2.3`);
    const manifest = await clients.manifest(`${from}:1.2.3`);
    for (const form of ['bundle', 'classic'] as const) await cosign.sign(`${from}@${digest ?? ''}`, form);
    await sandbox.runOk(['wrap', `oci://${from}`, '--version', '1.2.3', '--output-file', 'w.tgz']);
    await source.close();

    for (const [prefix, flags] of [
      ['kept', ['--chart-mode', 'keep']],
      ['preserved', ['--preserve-digest']],
    ] as const) {
      await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/${prefix}`, '--yes', ...flags]);
      const to = `${target.host}/${prefix}/shop`;
      assert.equal(await clients.digest(`${to}:1.2.3`), digest);
      assert.deepEqual(await clients.manifest(`${to}:1.2.3`), manifest);
      for (const form of ['bundle', 'classic'] as const) {
        const { code, stderr } = await cosign.verify(`${to}@${digest ?? ''}`, form);
        assert.equal(code, 0, stderr);
      }
      for (const command of helms) await assertHelmVerifies(site, command, to);
      for (const { repository, tag } of SHOP_IMAGES) {
        await clients.validate(`${target.host}/${prefix}/${repository.split('/').slice(-2).join('/')}:${tag}`);
      }
    }
  });

  test(`a chart file with its provenance is kept as it is in ${kind.name}`, async (t) => {
    const site = await openChartSite(t, kind);
    if (site === undefined) return;
    const { sandbox, target, clients, helms, chart } = site;
    await sandbox.runOk(['wrap', chart.archivePath, '--output-file', 'w.tgz']);
    await unwrapToJson(site, 'w.tgz', ['--chart-mode', 'keep']);
    const to = `${target.host}/m/shop`;
    const { layers } = JSON.parse((await clients.manifest(`${to}:1.2.3`)).toString()) as ChartManifest;
    assert.deepEqual(
      layers.map(({ digest }) => digest),
      [chart.archive, chart.provenance].map(digestOf),
    );
    for (const command of helms) {
      await assertHelmVerifies(site, command, to);
      const text = await sandbox.runOk(['template', `oci://${to}`, '--version', '1.2.3', '--plain-http'], { command });
      assert.match(text, /image: /);
    }
    const digest = await clients.digest(`${to}:1.2.3`);
    const again = await unwrapToJson(site, 'w.tgz', ['--chart-mode', 'keep']);
    assert.deepEqual([again.charts[0]?.digest, again.summary.blobs.written], [digest, 0]);
  });
}

test('a rewritten chart says that its provenance and its signatures do not apply', async (t) => {
  const cosign = await createCosign(t);
  const site = await openChartSite(t, EMBEDDED);
  if (cosign === undefined || site === undefined) return;
  const { sandbox, source, clients, target, helm, chart } = site;
  await sandbox.runOk(['push', chart.archivePath, `oci://${source.host}/charts`, '--plain-http'], { command: helm });
  const digest = (await clients.digest(`${source.host}/charts/shop:1.2.3`)) ?? '';
  await cosign.sign(`${source.host}/charts/shop@${digest}`);
  await sandbox.runOk(['wrap', `oci://${source.host}/charts/shop:1.2.3`, '--output-file', 'w.tgz']);
  const { warnings = [], charts } = await unwrapToJson(site, 'w.tgz');
  assert.ok(
    warnings.some((text) => /its provenance and 1 signature .*do not apply.*--chart-mode keep/.test(text)),
    warnings.join('\n'),
  );
  assert.notEqual(charts[0]?.digest, digest);
  const { layers } = JSON.parse((await clients.manifest(`${target.host}/m/shop:1.2.3`)).toString()) as ChartManifest;
  assert.equal(layers.length, 1);
  assert.deepEqual(await clients.referrers(`${target.host}/m/shop:1.2.3`), []);
});

test('a chart that was a folder is packed and not changed by keep', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  const helm = requireTool(t, 'helm3');
  if (site === undefined || helm === undefined) return;
  const { sandbox, source, target, clients } = site;
  await pushShopImages(source.host);
  await writeShopChart(join(sandbox.work, 'shop'), source.host);
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'w.tgz']);
  const { charts } = await unwrapToJson(site, 'w.tgz', ['--chart-mode', 'keep']);
  assert.deepEqual([charts[0]?.mode, charts[0]?.valuesFile], ['keep', undefined]);
  assert.deepEqual(await clients.referrers(`${target.host}/m/shop:1.2.3`), []);
  const { files } = await readStoredChart(target.host, 'm/shop', '1.2.3');
  for (const path of ['Chart.yaml', 'values.yaml', 'templates/pod.yaml']) {
    assert.deepEqual(files.get(path), await readFile(join(sandbox.work, 'shop', path)), path);
  }
  assert.equal(await clients.digest(`${target.host}/m/shop:1.2.3`), charts[0]?.digest);
  await sandbox.runOk(['pull', `oci://${target.host}/m/shop`, '--version', '1.2.3', '--plain-http'], { command: helm });
});

/** The source has the images of the shop; its chart lies signed in the working directory. */
async function openChartSite(t: TestContext, kind: TargetKind): Promise<ChartSite | undefined> {
  const site = await openFidelitySite(t, kind);
  const [helm3, helm4] = [requireTool(t, 'helm3'), requireTool(t, 'helm4')];
  if (site === undefined || helm3 === undefined || helm4 === undefined) return undefined;
  await pushShopImages(site.source.host);
  const chart = await packSignedShop(t, site.sandbox, helm3, site.source.host);
  return chart && { ...site, helm: helm3, helms: [helm3, helm4], chart };
}

/** Pulls the chart, which checks the provenance against the key, and compares the bytes of both files. */
async function assertHelmVerifies({ sandbox, chart }: ChartSite, command: string, from: string): Promise<void> {
  const place = join(sandbox.work, `pulled-${digestOf(`${command} ${from}`).slice(7, 15)}`);
  await mkdir(place);
  const verify = ['--verify', '--keyring', chart.keyring];
  await sandbox.runOk(
    ['pull', `oci://${from}`, '--version', '1.2.3', '--plain-http', '--destination', place, ...verify],
    { command },
  );
  const archive = join(place, 'shop-1.2.3.tgz');
  assert.deepEqual(await readFile(archive), chart.archive);
  assert.deepEqual(await readFile(`${archive}.prov`), chart.provenance);
  await sandbox.runOk(['verify', archive, '--keyring', chart.keyring], { command });
}
