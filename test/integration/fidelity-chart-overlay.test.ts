import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { packShopChart, pushShopImages, SHOP_IMAGES, shopMetadata, writeShopChart } from '../support/charts.ts';
import {
  openFidelitySite,
  TARGET_KINDS,
  unwrapToJson,
  type FidelitySite,
  type TargetKind,
  type UnwrapDocument,
} from '../support/fidelity-site.ts';
import { pushChart } from '../support/images.ts';
import { readStoredBlob } from '../support/registry-content.ts';
import { requireTool } from '../support/tools.ts';

const VALUES_TYPE = 'application/vnd.helm.dt.values.v1+yaml';
const VALUES_FILE = 'shop-1.2.3.values.relocated.yaml';
/** From a registry, and from a folder. */
const SOURCES = ['registry', 'folder'] as const;

for (const kind of TARGET_KINDS) {
  for (const from of SOURCES) {
    test(`a chart of a ${from} with an overlay uses ${kind.name} for every image`, async (t) => {
      const site = await openShopSite(t, kind, from);
      if (site === undefined) return;
      const { sandbox, target, clients, helms, digest } = site;
      const result = await unwrapToJson(site, 'out/w.tgz', ['--chart-mode', 'overlay']);
      const [chart] = result.charts;
      const reference = `${target.host}/m/shop:1.2.3`;
      assert.equal(chart?.mode, 'overlay');
      assert.equal(await clients.digest(reference), chart.digest);
      if (digest !== undefined) assert.equal(chart.digest, digest);

      // Beside the wrap, and attached to the chart.
      assert.equal(chart.valuesFile, join('out', VALUES_FILE));
      const text = await readFile(join(sandbox.work, 'out', VALUES_FILE), 'utf8');
      const [referrer, ...others] = await clients.referrers(reference);
      assert.deepEqual([referrer?.artifactType, others], [VALUES_TYPE, []]);
      const artifact = JSON.parse(
        (await clients.manifest(`${target.host}/m/shop@${referrer?.digest ?? ''}`)).toString(),
      ) as {
        layers: { digest: string; annotations: Record<string, string> }[];
      };
      assert.equal(artifact.layers[0]?.digest, digestOf(text));
      assert.equal(artifact.layers[0].annotations['org.opencontainers.image.title'], VALUES_FILE);
      assert.equal((await readStoredBlob(target.host, 'm/shop', digestOf(text))).toString(), text);

      const wanted = SHOP_IMAGES.map(({ repository, tag }) => `${target.host}/m/${repository}:${tag}`).toSorted();
      for (const helm of helms) {
        assert.deepEqual(await renderImages(site, helm, chart), wanted);
        // The chart itself was not changed: without the file it still uses the source.
        const plain: UnwrapDocument['charts'][number] = {
          ...chart,
          installCommand: chart.installCommand.replace(/ -f \S+/, ''),
        };
        assert.ok((await renderImages(site, helm, plain)).every((image) => image.startsWith(site.source.host)));
      }
      const again = await unwrapToJson(site, 'out/w.tgz', ['--chart-mode', 'overlay']);
      assert.deepEqual(again.charts, result.charts);
      assert.equal((await clients.referrers(reference)).length, 1);
    });
  }
}

interface ShopSite extends FidelitySite {
  readonly helms: readonly string[];
  /** Of the chart in its registry. */
  readonly digest: string | undefined;
}

async function openShopSite(
  t: TestContext,
  kind: TargetKind,
  from: (typeof SOURCES)[number],
): Promise<ShopSite | undefined> {
  const site = await openFidelitySite(t, kind);
  const helms = (['helm3', 'helm4'] as const).map((name) => requireTool(t, name));
  if (site === undefined || helms.includes(undefined)) return undefined;
  const { sandbox, source } = site;
  await pushShopImages(source.host);
  let digest: string | undefined;
  if (from === 'folder') await writeShopChart(join(sandbox.work, 'shop'), source.host);
  else ({ digest } = await pushChart(source.host, 'charts', shopMetadata(), await packShopChart(source.host)));
  const location = from === 'folder' ? 'shop' : `oci://${source.host}/charts/shop:1.2.3`;
  await sandbox.runOk(['wrap', location, '--output-file', 'out/w.tgz']);
  return { ...site, helms: helms.filter((path) => path !== undefined), digest };
}

/** The images that the shown command would install, rendered only. */
async function renderImages(
  { sandbox }: FidelitySite,
  helm: string,
  { installCommand }: UnwrapDocument['charts'][number],
): Promise<string[]> {
  const [program, install, ...args] = installCommand.split(' ');
  assert.deepEqual([program, install], ['helm', 'install']);
  const text = await sandbox.runOk(['template', ...args], { command: helm });
  return [...text.matchAll(/image: "?([^"\n]+)/g)].map(([, image = '']) => image).toSorted();
}
