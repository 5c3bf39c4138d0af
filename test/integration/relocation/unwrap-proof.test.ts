import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { annotationOf, createDiscoverySite, NO_HELM, podOf, type DiscoverySite } from '../../support/discovery-site.ts';
import { HELM_TOOLS } from '../../support/helm.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../../support/registries.ts';
import { listTags, readStoredChart } from '../../support/registry-content.ts';
import { requireTool, type ToolName } from '../../support/tools.ts';

const IMAGES = ['app', 'fixed', 'hidden'] as const;
const CHART = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
const VALUES =
  'image:\n  repository: HOST/team/app   # ours\n  tag: "1"\nhelper: {registry: HOST, name: team/hidden, version: "1"}\n';
/** One image by values, one that stands in the template, one that only an argument names. */
const POD = `${podOf('p', '{{ .Values.image.repository }}:{{ .Values.image.tag }}')}    - name: fixed
      image: HOST/team/fixed:1
      args: ["--helper-image={{ .Values.helper.registry }}/{{ .Values.helper.name }}:{{ .Values.helper.version }}"]
`;

interface UnwrapSite extends DiscoverySite {
  readonly target: EmbeddedRegistry;
  readonly helm: string;
}

/** A wrap `w.tgz` of the chart. */
async function openSite(
  t: TestContext,
  tool: ToolName = 'helm3',
  wrapFlags: readonly string[] = ['--include-likely'],
  more = '',
): Promise<UnwrapSite | undefined> {
  const helm = requireTool(t, tool);
  const site = await createDiscoverySite(t, IMAGES, tool);
  if (site === undefined || helm === undefined) return undefined;
  const target = await startEmbeddedRegistry();
  t.after(async () => target.close());
  const files = { 'Chart.yaml': CHART + annotationOf('app') + more, 'values.yaml': VALUES, 'templates/p.yaml': POD };
  await site.writeChart('shop', files);
  await site.runOk(['wrap', 'shop', '--output-file', 'w.tgz', ...wrapFlags]);
  return { ...site, target, helm };
}

async function unwrap(site: UnwrapSite, flags: readonly string[] = [], helm?: string): Promise<string> {
  const options = helm === undefined ? {} : { env: { HELM_BIN: helm } };
  return site.runOk(['unwrap', 'w.tgz', `${site.target.host}/m`, '--yes', '--plain', ...flags], options);
}

/** Every image of the pushed chart as Helm renders it. */
async function renderPushed({ sandbox, target, helm }: UnwrapSite, flags: readonly string[] = []): Promise<string[]> {
  const chart = `oci://${target.host}/m/shop`;
  const args = ['template', 'release', chart, '--version', '1.0.0', '--plain-http', ...flags];
  const output = await sandbox.runOk(args, { command: helm });
  return [...output.matchAll(/image[:=]\s*"?([^"\s]+)/g)].map(([, image = '']) => image).toSorted();
}

/** What the target holds of the images, as a cluster would name them. */
async function listTargets({ target }: UnwrapSite): Promise<string[]> {
  return [...(await listTags(target.host)).keys()]
    .filter((name) => /^m\/team\/[a-z]+:1$/.test(name))
    .map((name) => `${target.host}/${name}`)
    .toSorted();
}

for (const tool of HELM_TOOLS) {
  describe(`unwrap with ${tool}`, () => {
    it('makes a chart that renders with the images of the target only', async (t) => {
      const site = await openSite(t, tool);
      if (site === undefined) return;
      const said = await unwrap(site);
      assert.match(said, /Proven by \d+ renderings: 3 images moved, 0 left, nothing else changed/);
      assert.doesNotMatch(said, /Warning/);
      const images = IMAGES.map((name) => `${site.target.host}/m/team/${name}:1`);
      assert.deepEqual(await renderPushed(site), images);
      assert.deepEqual(await listTargets(site), images);
      const { files } = await readStoredChart(site.target.host, 'm/shop', '1.0.0');
      assert.equal(String(files.get('templates/p.yaml')), POD.replace('HOST', `${site.target.host}/m`));
    });
  });
}

describe('the proof of unwrap', () => {
  it('warns of images that the chart runs and the wrap does not hold', async (t) => {
    const site = await openSite(t, 'helm3', ['--declared-only']);
    if (site === undefined) return;
    const { host, target } = site;
    const said = await unwrap(site);
    assert.ok(
      said.includes(
        `the chart uses ${host}/team/fixed:1, which is not in the wrap: ${target.host}/m/team/fixed:1 has to come from elsewhere`,
      ),
      said,
    );
    assert.ok(!said.includes(`the chart uses ${host}/team/app:1`), said);
    assert.deepEqual(await listTargets(site), [`${target.host}/m/team/app:1`]);
  });

  it('is in the document of --json', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const { stdout, code, stderr } = await site.run(['unwrap', 'w.tgz', `${site.target.host}/m`, '--yes', '--json']);
    assert.equal(code, 0, stderr);
    const { charts, warnings } = JSON.parse(stdout) as {
      charts: { proof?: { state: string; moved: { to: string }[]; left: unknown[] } }[];
      warnings?: unknown;
    };
    assert.equal(warnings, undefined);
    assert.equal(charts[0]?.proof?.state, 'proven');
    assert.deepEqual(charts[0].proof.left, []);
    assert.deepEqual(
      charts[0].proof.moved.map(({ to }) => to).toSorted(),
      IMAGES.map((name) => `${site.target.host}/m/team/${name}:1`),
    );
  });

  it('leaves templates as they are for an overlay, and names what they hold', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const { host, target, sandbox } = site;
    const said = await unwrap(site, ['--chart-mode', 'overlay']);
    assert.ok(
      said.includes(
        `Warning: ${host}/team/fixed:1 is left in Pod/p spec.containers[1].image (templates/p.yaml:9): it stands in a template`,
      ),
      said,
    );
    const { files } = await readStoredChart(target.host, 'm/shop', '1.0.0');
    assert.equal(String(files.get('templates/p.yaml')), POD.replaceAll('HOST', host));
    assert.equal(String(files.get('values.yaml')), VALUES.replaceAll('HOST', host));
    const overlay = join(sandbox.work, 'shop-1.0.0.values.relocated.yaml');
    assert.match(await readFile(overlay, 'utf8'), /\/m\/team\/app/);
    assert.deepEqual(
      await renderPushed(site, ['--values', overlay]),
      [`${host}/team/fixed:1`, `${target.host}/m/team/app:1`, `${target.host}/m/team/hidden:1`].toSorted(),
    );
  });

  it('is not made of a chart that is kept', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const said = await unwrap(site, ['--chart-mode', 'keep']);
    assert.doesNotMatch(said, /[Pp]roven/);
    const { files } = await readStoredChart(site.target.host, 'm/shop', '1.0.0');
    assert.equal(String(files.get('templates/p.yaml')), POD.replaceAll('HOST', site.host));
  });

  for (const [name, helm] of [
    ['without Helm', NO_HELM],
    ['with a Helm that does not work', '/bin/false'],
    ['with a Helm that says nothing', '/bin/true'],
  ] as const) {
    it(`${name} nothing is proven, and everything is pushed`, async (t) => {
      const site = await openSite(t);
      if (site === undefined) return;
      const { host, target } = site;
      const said = await unwrap(site, [], helm);
      assert.match(said, /The relocation is unproven: /);
      assert.deepEqual(
        await listTargets(site),
        IMAGES.map((image) => `${target.host}/m/team/${image}:1`),
      );
      const images = await renderPushed(site);
      assert.ok(images.includes(`${target.host}/m/team/app:1`), images.join());
      assert.ok(images.includes(`${host}/team/fixed:1`), images.join());
    });
  }

  it('does without a rendering of a chart that needs values', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const pod = `{{ $_ := required "give me a domain" .Values.domain }}${POD}`;
    await site.writeChart('picky', {
      'Chart.yaml': CHART + annotationOf('app'),
      'values.yaml': VALUES,
      'templates/p.yaml': pod,
    });
    await site.runOk(['wrap', 'picky', '--output-file', 'w.tgz', '--declared-only']);
    assert.match(await unwrap(site), /The relocation is unproven: .*give me a domain/);
    assert.deepEqual(await listTargets(site), [`${site.target.host}/m/team/app:1`]);
  });
});
