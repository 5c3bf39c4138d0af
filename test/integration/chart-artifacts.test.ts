import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { packArchive } from '../support/archives.ts';
import { packShopChart, pushShopImages, shopMetadata } from '../support/charts.ts';
import { EMBEDDED, openFidelitySite, type FidelitySite } from '../support/fidelity-site.ts';
import { pushChart, randomBytesOf } from '../support/images.ts';

/** Larger than what is held in memory while a wrap is planned. */
const LARGE_BYTES = 100_000;

interface ChartSite extends FidelitySite {
  readonly chartDigest: string;
  /** Digests of what is attached to the chart, sorted. */
  readonly attached: readonly string[];
  readonly largeText: string;
}

/** A chart in a registry with a small and a large artifact attached to its manifest. */
async function openChartSite(
  t: TestContext,
  pack: (host: string) => Promise<Buffer> = packShopChart,
): Promise<ChartSite | undefined> {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return undefined;
  const { source, clients, sandbox } = site;
  await pushShopImages(source.host);
  const chart = await pushChart(source.host, 'charts', shopMetadata(), await pack(source.host));
  const largeText = randomBytesOf('sbom', LARGE_BYTES).toString('hex');
  const attached: string[] = [];
  for (const [name, text] of [
    ['small', '{}'],
    ['large', largeText],
  ] as const) {
    const path = join(sandbox.home, name);
    await writeFile(path, text);
    const digest = await clients.regctl(source.host, [
      ...['artifact', 'put', '--artifact-type', `application/x.${name}`, '--file', path],
      ...['--subject', chart.reference, '--format', '{{ .Manifest.GetDescriptor.Digest }}'],
    ]);
    attached.push(digest.trim());
  }
  return { ...site, chartDigest: chart.digest, attached: attached.sort(), largeText };
}

const LOCATION = (host: string): string => `oci://${host}/charts/shop:1.2.3`;

test('what is attached to a chart is behind it in the target, if the chart stays as it is', async (t) => {
  const site = await openChartSite(t);
  if (site === undefined) return;
  const { sandbox, source, target, clients, attached } = site;
  await sandbox.runOk(['wrap', LOCATION(source.host), '--output-file', 'w.tgz']);
  await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--chart-mode', 'keep', '--yes']);
  const place = `${target.host}/m/shop`;
  assert.equal(await clients.digest(`${place}:1.2.3`), site.chartDigest);
  const found = await clients.referrers(`${place}:1.2.3`);
  assert.deepEqual(found.map(({ digest }) => digest).sort(), attached);
  const large = found.find(({ artifactType }) => artifactType === 'application/x.large');
  const text = await clients.regctl(target.host, ['artifact', 'get', `${place}@${large?.digest ?? ''}`]);
  assert.equal(text, site.largeText);
});

test('what is attached to a chart that is rewritten is left out, and told', async (t) => {
  const site = await openChartSite(t);
  if (site === undefined) return;
  const { sandbox, source, target, clients, attached } = site;
  await sandbox.runOk(['wrap', LOCATION(source.host), '--output-file', 'w.tgz']);
  const { code, stderr } = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Warning: .*rewritten.* 2 signatures and other artifacts .*--chart-mode keep/);
  assert.notEqual(await clients.digest(`${target.host}/m/shop:1.2.3`), site.chartDigest);
  assert.deepEqual(await clients.referrers(`${target.host}/m/shop:1.2.3`), []);
  for (const digest of attached) assert.equal(await clients.digest(`${target.host}/m/shop@${digest}`), undefined);
});

test('a chart without images brings what is attached to it', async (t) => {
  const site = await openChartSite(t, async () =>
    packArchive({ 'shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.2.3\n' }),
  );
  if (site === undefined) return;
  const { sandbox, source, target, clients, attached } = site;
  await sandbox.runOk(['wrap', LOCATION(source.host), '--allow-empty', '--output-file', 'w.tgz']);
  await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--chart-mode', 'keep', '--yes']);
  const found = await clients.referrers(`${target.host}/m/shop:1.2.3`);
  assert.deepEqual(found.map(({ digest }) => digest).sort(), attached);
});

test('--no-referrers leaves out what is attached to the chart', async (t) => {
  const site = await openChartSite(t);
  if (site === undefined) return;
  const { sandbox, source, target, clients } = site;
  await sandbox.runOk(['wrap', LOCATION(source.host), '--output-file', 'all.tgz']);
  await sandbox.runOk(['wrap', LOCATION(source.host), '--no-referrers', '--output-file', 'none.tgz']);
  for (const [file, flags] of [
    ['none.tgz', []],
    ['all.tgz', ['--no-referrers']],
  ] as const) {
    const prefix = `${target.host}/${file.replace('.tgz', '')}`;
    await sandbox.runOk(['unwrap', file, prefix, '--chart-mode', 'keep', '--yes', ...flags]);
    assert.equal(await clients.digest(`${prefix}/shop:1.2.3`), site.chartDigest);
    assert.deepEqual(await clients.referrers(`${prefix}/shop:1.2.3`), []);
  }
});
