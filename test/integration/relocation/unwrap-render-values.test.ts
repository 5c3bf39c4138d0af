import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { annotationOf } from '../../support/discovery-site.ts';
import { CHART, IMAGES, openUnwrapSite, POD, renderPushed, unwrap, VALUES } from '../../support/unwrap-site.ts';

describe('the values that unwrap -f renders with', () => {
  it('say what is left, and stay as they are', async (t) => {
    const site = await openUnwrapSite(t);
    if (site === undefined) return;
    const { host, target, sandbox } = site;
    const values = `image: {repository: ${host}/site/app, tag: "2"}\n`;
    const file = join(sandbox.work, 'site.yaml');
    await writeFile(file, values);
    const said = await unwrap(site, ['-f', 'site.yaml']);
    assert.match(said, /Proven by \d+ renderings: \d images moved, 1 left, nothing else changed/);
    assert.ok(
      said.includes(
        `Warning: ${host}/site/app:2 is left in Pod/p spec.containers[0].image (-f site.yaml:1 image.repository): ` +
          'it stands in a values file that is not to be changed',
      ),
      said,
    );
    assert.equal(await readFile(file, 'utf8'), values);
    // What the chart itself says moves all the same.
    const images = IMAGES.map((name) => `${target.host}/m/team/${name}:1`);
    assert.deepEqual(await renderPushed(site), images);
    assert.deepEqual(
      await renderPushed(site, ['-f', file]),
      [...images.filter((image) => !image.endsWith('/app:1')), `${host}/site/app:2`].toSorted(),
    );
  });

  it('let a chart render that needs them, and switch images on', async (t) => {
    const site = await openUnwrapSite(t);
    if (site === undefined) return;
    const { host, target, sandbox } = site;
    const sidecar = '{{ if .Values.sidecar }}    - {name: s, image: HOST/team/sidecar:1 }\n{{ end }}';
    await site.writeChart('picky', {
      'Chart.yaml': CHART + annotationOf('app'),
      'values.yaml': VALUES,
      'templates/p.yaml': `{{ $_ := required "give me a domain" .Values.domain }}${POD}${sidecar}`,
    });
    await site.runOk(['wrap', 'picky', '--output-file', 'w.tgz', '--declared-only']);
    await writeFile(join(sandbox.work, 'site.yaml'), 'domain: shop.internal\nsidecar: true\n');
    const said = await unwrap(site, ['-f', 'site.yaml']);
    assert.match(said, /Proven by \d+ renderings: 4 images moved, 0 left, nothing else changed/);
    assert.ok(said.includes(`the chart uses ${host}/team/sidecar:1, which is not in the wrap`), said);
    const values = ['-f', join(sandbox.work, 'site.yaml')];
    assert.deepEqual(
      await renderPushed(site, values),
      [...IMAGES, 'sidecar'].map((name) => `${target.host}/m/team/${name}:1`).toSorted(),
    );
  });

  it('are an error before anything is pushed if they are not there, no map, or not what the chart takes', async (t) => {
    const site = await openUnwrapSite(t);
    if (site === undefined) return;
    const { target, sandbox } = site;
    await writeFile(join(sandbox.work, 'list.yaml'), '- a\n');
    await writeFile(join(sandbox.work, 'wrong.yaml'), 'image: text\n');
    for (const [file, status, code] of [
      ['none.yaml', 1, 'DT_FILE_NOT_FOUND'],
      ['list.yaml', 1, 'DT_CHART_NOT_RENDERED'],
      ['wrong.yaml', 1, 'DT_CHART_NOT_RENDERED'],
    ] as const) {
      const result = await site.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '-f', file]);
      assert.equal(result.code, status, result.stderr);
      assert.match(result.stderr, new RegExp(`Code: ${code}\\n`), result.stderr);
    }
    assert.deepEqual(
      target.requests.filter((request) => /^(?:POST|PUT|PATCH) /.test(request)),
      [],
    );
  });
});
