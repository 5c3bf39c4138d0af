import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { annotationOf, NO_HELM } from '../../support/discovery-site.ts';
import { HELM_TOOLS } from '../../support/helm.ts';
import { readStoredChart } from '../../support/registry-content.ts';
import {
  CHART,
  IMAGES,
  listTargets,
  openUnwrapSite,
  POD,
  renderPushed,
  unwrap,
  VALUES,
} from '../../support/unwrap-site.ts';

for (const tool of HELM_TOOLS) {
  describe(`unwrap with ${tool}`, () => {
    it('makes a chart that renders with the images of the target only', async (t) => {
      const site = await openUnwrapSite(t, tool);
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
    const site = await openUnwrapSite(t, 'helm3', ['--declared-only']);
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
    const site = await openUnwrapSite(t);
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
    const site = await openUnwrapSite(t);
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
    const site = await openUnwrapSite(t);
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
      const site = await openUnwrapSite(t);
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
    const site = await openUnwrapSite(t);
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
