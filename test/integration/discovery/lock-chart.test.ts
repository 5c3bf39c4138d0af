import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pushShopImages, writeShopChart } from '../../support/charts.ts';
import { annotationOf, createDiscoverySite, NO_HELM, podOf } from '../../support/discovery-site.ts';
import { withoutGenerationTime } from '../../support/golden.ts';
import { startEmbeddedRegistry } from '../../support/registries.ts';

const HEAD = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
const WRAP = 'shop-1.0.0.wrap.tgz';
/** One image that is declared and two that are not, one of them of a subchart. */
const SHOP = {
  'Chart.yaml': HEAD + annotationOf('declared'),
  'values.yaml': 'rendered: HOST/team/rendered:1\n',
  'templates/pod.yaml': podOf('p', 'HOST/team/declared:1', '{{ .Values.rendered }}'),
  'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
  'charts/sub/templates/test.yaml': podOf('t', 'HOST/team/probe:1').replace(
    'metadata: {name: t}',
    'metadata: {name: t, annotations: {helm.sh/hook: test}}',
  ),
};
const SHOP_IMAGES = ['declared', 'rendered', 'probe'];
const SHOP_LOCK = ['shop declared team/declared:1', 'sub probe team/probe:1', 'shop rendered team/rendered:1'];

describe('a lock with what the rendering shows', () => {
  for (const tool of ['helm3', 'helm4'] as const) {
    it(`has what nobody declared, says why, and is carried to another registry (${tool})`, async (t) => {
      const site = await createDiscoverySite(t, SHOP_IMAGES, tool);
      if (site === undefined) return;
      await site.writeChart('shop', SHOP);
      const said = await site.runOk(['wrap', 'shop']);
      assert.match(
        said,
        /Added: \S+\/team\/rendered:1, .*shop\/templates\/pod\.yaml Pod\/p spec\.containers\[1\]\.image/,
      );
      assert.match(said, /Added: \S+\/team\/probe:1, .*shop\/charts\/sub\/templates\/test\.yaml/);
      assert.match(said, /1 rendering\)/);
      assert.deepEqual(await site.readLock(WRAP), SHOP_LOCK);
      await site.runOk(['verify', WRAP]);
      const target = await startEmbeddedRegistry();
      t.after(async () => target.close());
      await site.runOk(['unwrap', WRAP, `${target.host}/mirror`, '--yes']);
      const response = await fetch(`http://${target.host}/v2/mirror/team/rendered/manifests/1`, { method: 'HEAD' });
      assert.equal(response.status, 200);
      assert.deepEqual(await site.sandbox.listTemporary(), []);
    });
  }

  it('follows the values of the user', async (t) => {
    const site = await createDiscoverySite(t, [...SHOP_IMAGES, 'site', 'set']);
    if (site === undefined) return;
    await site.writeChart('shop', SHOP);
    await writeFile(join(site.sandbox.work, 'site.yaml'), `rendered: ${site.host}/team/site:1\n`);
    await site.runOk(['images', 'lock', 'shop', '-f', 'site.yaml']);
    assert.deepEqual((await site.readLock('shop/Images.lock')).slice(2), ['shop site team/site:1']);
    await site.runOk(['images', 'lock', 'shop', '-f', 'site.yaml', '--set', `rendered=${site.host}/team/set:1`]);
    assert.deepEqual((await site.readLock('shop/Images.lock')).slice(2), ['shop set team/set:1']);
    assert.equal((await site.run(['images', 'lock', 'shop', '-f', 'missing.yaml'])).code, 1);
  });

  it('keeps to the annotations if it is told to, and starts no Helm', async (t) => {
    const site = await createDiscoverySite(t, SHOP_IMAGES);
    if (site === undefined) return;
    await site.writeChart('shop', SHOP);
    const mark = join(site.sandbox.work, 'started');
    const helm = join(site.sandbox.work, 'helm');
    await writeFile(helm, `#!/bin/sh\ntouch ${mark}\n`);
    await chmod(helm, 0o755);
    const env = { HELM_BIN: helm };
    const said = await site.runOk(['wrap', 'shop', '--declared-only'], { env });
    assert.deepEqual(await site.readLock(WRAP), SHOP_LOCK.slice(0, 1));
    assert.doesNotMatch(said, /Warning|Added/);
    await assert.rejects(readFile(mark), 'Helm was started');
    await site.runOk(['verify', WRAP]);
    assert.equal((await site.run(['wrap', 'shop', '--declared-only', '--include-likely'])).code, 2);
    // The same Helm without the flag is one that cannot be used, which is no reason to fail.
    assert.match(await site.runOk(['images', 'lock', 'shop'], { env }), /Warning: .*cannot be used/);
    await readFile(mark);
    assert.deepEqual(await site.readLock('shop/Images.lock'), SHOP_LOCK.slice(0, 1));
  });

  it('has what is declared where the chart cannot be rendered, and says so once', async (t) => {
    const site = await createDiscoverySite(t, SHOP_IMAGES);
    if (site === undefined) return;
    await site.writeChart('shop', SHOP);
    await site.writeChart('picky', {
      'Chart.yaml': HEAD + annotationOf('declared'),
      'templates/p.yaml': '{{ required "give a domain" .Values.domain }}',
    });
    const attempts: readonly (readonly [chart: string, env: Readonly<Record<string, string>>, reason: RegExp])[] = [
      ['shop', { HELM_BIN: NO_HELM }, /no Helm/],
      ['picky', {}, /give a domain/],
    ];
    for (const [chart, env, reason] of attempts) {
      const said = await site.runOk(['images', 'lock', chart, '--json'], { env });
      const { warnings } = JSON.parse(said.slice(said.indexOf('{'), said.lastIndexOf('}') + 1)) as {
        warnings: string[];
      };
      assert.equal(warnings.length, 1, said);
      assert.match(String(warnings[0]), reason);
      assert.deepEqual(await site.readLock(`${chart}/Images.lock`), ['shop declared team/declared:1']);
    }
  });

  it('is an error where this machine cannot render it', async (t) => {
    const site = await createDiscoverySite(t, SHOP_IMAGES);
    if (site === undefined) return;
    await site.writeChart('shop', SHOP);
    const env = { TMPDIR: join(site.sandbox.work, 'missing') };
    for (const args of [
      ['images', 'lock', 'shop'],
      ['wrap', 'shop'],
    ]) {
      const { code, stderr } = await site.run(args, { env });
      assert.equal(code, 1);
      assert.match(stderr, /does not render: .*ENOENT[^]*TMPDIR names[^]*DT_CHART_NOT_RENDERED/);
    }
    await site.runOk(['wrap', 'shop', '--declared-only'], { env });
  });

  it('is an error where the chart cannot be rendered and nothing is declared', async (t) => {
    const site = await createDiscoverySite(t, []);
    if (site === undefined) return;
    await site.writeChart('picky', { 'templates/p.yaml': '{{ required "give a domain" .Values.domain }}' });
    for (const args of [
      ['images', 'lock', 'picky'],
      ['wrap', 'picky'],
    ]) {
      const { code, stderr } = await site.run(args);
      assert.equal(code, 1);
      assert.match(stderr, /DT_CHART_NOT_RENDERED/);
    }
    await site.runOk(['wrap', 'picky', '--allow-empty']);
    const { stderr } = await site.run(['wrap', 'picky'], { env: { HELM_BIN: NO_HELM } });
    assert.match(stderr, /DT_CHART_NO_IMAGES/);
  });

  it('has what is likely if it is asked to, without what no registry has', async (t) => {
    const site = await createDiscoverySite(t, ['app', 'sidecar']);
    if (site === undefined) return;
    const env = ['SIDECAR_IMAGE', 'OTHER_IMAGE'].map(
      (name, index) => `        - {name: ${name}, value: "HOST/team/${['sidecar', 'missing'][index] ?? ''}:1"}\n`,
    );
    await site.writeChart('shop', {
      'templates/p.yaml': `${podOf('p', 'HOST/team/app:1')}      env:\n${env.join('')}`,
    });
    const plain = await site.runOk(['images', 'lock', 'shop']);
    assert.match(plain, /Not taken: images likely \(2\)/);
    assert.deepEqual(await site.readLock('shop/Images.lock'), ['shop app team/app:1']);
    const said = await site.runOk(['images', 'lock', 'shop', '--include-likely']);
    assert.match(said, /Warning: \S+\/team\/missing:1 only looks like an image/);
    assert.doesNotMatch(said, /Added: \S+missing/);
    assert.deepEqual(await site.readLock('shop/Images.lock'), ['shop app team/app:1', 'shop sidecar team/sidecar:1']);
    // What runs is no guess: it must be there.
    await site.writeChart('shop', { 'templates/q.yaml': podOf('q', 'HOST/team/missing:1') });
    assert.equal((await site.run(['images', 'lock', 'shop', '--include-likely'])).code, 5);
  });

  it('has what locks in the chart name, but for its own', async (t) => {
    const site = await createDiscoverySite(t, ['declared', 'locked', 'vendor']);
    if (site === undefined) return;
    const lockOf = (name: string): string => `images:\n  - {name: ${name}, image: "HOST/team/${name}:1"}\n`;
    await site.writeChart('shop', {
      'Chart.yaml': HEAD + annotationOf('declared'),
      'Images.lock': lockOf('stale'),
      'images-lock.yaml': lockOf('vendor'),
      'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
      'charts/sub/Images.lock': lockOf('locked'),
    });
    const said = await site.runOk(['images', 'lock', 'shop'], { env: { HELM_BIN: NO_HELM } });
    assert.match(said, /locked:1, which no annotation names \(charts\/sub\/Images\.lock\)/);
    assert.deepEqual(await site.readLock('shop/Images.lock'), [
      'shop declared team/declared:1',
      'sub locked team/locked:1',
      'shop vendor team/vendor:1',
    ]);
  });

  it('is the same for a chart that declares all, with and without Helm', async (t) => {
    const site = await createDiscoverySite(t, []);
    if (site === undefined) return;
    await pushShopImages(site.host);
    await writeShopChart(join(site.sandbox.work, 'full'), site.host);
    const locks: string[] = [];
    for (const args of [[], ['--declared-only']]) {
      await site.runOk(['images', 'lock', 'full', ...args]);
      locks.push(withoutGenerationTime(await site.readText('full/Images.lock')));
      await rm(join(site.sandbox.work, 'full/Images.lock'));
    }
    assert.equal(locks[0], locks[1]);
    assert.equal(locks[0]?.match(/- name:/g)?.length, 3);
  });

  it('tells that a chart runs another digest than it declares', async (t) => {
    const site = await createDiscoverySite(t, ['declared']);
    if (site === undefined) return;
    const pin = `sha256:${'0'.repeat(64)}`;
    await site.writeChart('shop', {
      'Chart.yaml': HEAD + annotationOf('declared'),
      'templates/p.yaml': podOf('p', `HOST/team/declared:1@${pin}`),
    });
    assert.match(await site.runOk(['images', 'lock', 'shop']), /Warning: the chart runs \S+@sha256:0+, but/);
    assert.deepEqual(await site.readLock('shop/Images.lock'), ['shop declared team/declared:1']);
    const response = await fetch(`http://${site.host}/v2/team/declared/manifests/1`, { method: 'HEAD' });
    const digest = response.headers.get('docker-content-digest') ?? '';
    await site.writeChart('shop', { 'templates/p.yaml': podOf('p', `HOST/team/declared:1@${digest}`) });
    assert.doesNotMatch(await site.runOk(['images', 'lock', 'shop']), /Warning/);
  });
});

describe('a chart with a lock', () => {
  it('is wrapped with the lock that Helm helped to make, also where there is none', async (t) => {
    const site = await createDiscoverySite(t, SHOP_IMAGES);
    if (site === undefined) return;
    await site.writeChart('shop', SHOP);
    await site.runOk(['images', 'lock', 'shop']);
    const { stdout, stderr: said } = await site.run(['wrap', 'shop', '--json']);
    assert.doesNotMatch(said, /Warning|Added/);
    assert.deepEqual(
      (JSON.parse(stdout) as { added: string[] }).added,
      ['probe', 'rendered'].map((name) => `${site.host}/team/${name}:1`),
    );
    assert.deepEqual(await site.readLock(WRAP), SHOP_LOCK);
    for (const args of [
      ['wrap', 'shop'],
      ['wrap', 'shop', '--declared-only'],
    ]) {
      const { code } = await site.run(args, { env: { HELM_BIN: NO_HELM } });
      assert.equal(code, 0);
      assert.deepEqual(await site.readLock(WRAP), SHOP_LOCK);
    }
    // It still counts what the registries have.
    const text = await site.readText('shop/Images.lock');
    const digest = /team\/rendered:1[\s\S]*?(sha256:[0-9a-f]{64})/.exec(text)?.[1] ?? '';
    await site.writeChart('shop', { ...SHOP, 'Images.lock': text.replace(digest, `sha256:${'0'.repeat(64)}`) });
    const { code, stderr } = await site.run(['wrap', 'shop'], { env: { HELM_BIN: NO_HELM } });
    assert.equal(code, 3);
    assert.match(stderr, /DT_LOCK_MISMATCH/);
  });

  it('is wrapped with a lock that has less than the rendering, which is said', async (t) => {
    const site = await createDiscoverySite(t, SHOP_IMAGES);
    if (site === undefined) return;
    await site.writeChart('shop', SHOP);
    await site.runOk(['images', 'lock', 'shop', '--declared-only']);
    const before = await site.readText('shop/Images.lock');
    const said = await site.runOk(['wrap', 'shop']);
    for (const name of ['rendered', 'probe']) {
      assert.match(said, new RegExp(`Warning: \\S+/team/${name}:1 is not in Images.lock and is left out`));
    }
    assert.equal((await site.readWrapped(WRAP)).get('chart/Images.lock')?.toString(), before);
  });

  it('is refused with a lock that names what the chart has not, whatever is rendered', async (t) => {
    const site = await createDiscoverySite(t, [...SHOP_IMAGES, 'stranger']);
    if (site === undefined) return;
    await site.writeChart('shop', { ...SHOP, 'Chart.yaml': HEAD + annotationOf('declared', 'stranger') });
    await site.runOk(['images', 'lock', 'shop']);
    await site.writeChart('shop', SHOP);
    const { code, stderr } = await site.run(['wrap', 'shop']);
    assert.equal(code, 3);
    assert.match(stderr, /stranger/);
    assert.doesNotMatch(stderr, /rendered:1\) of chart/);
    // Locking again forgets it.
    await site.runOk(['images', 'lock', 'shop']);
    assert.deepEqual(await site.readLock('shop/Images.lock'), SHOP_LOCK);
  });
});

describe('.dt/discovery.json', () => {
  it('says why each image is in the wrap, in the same bytes for the same chart anywhere', async (t) => {
    const site = await createDiscoverySite(t, SHOP_IMAGES);
    if (site === undefined) return;
    await site.writeChart('shop', {
      ...SHOP,
      // Drawn by lot anew in every rendering.
      'templates/job.yaml': podOf('p-{{ randAlpha 8 | lower }}', 'HOST/team/rendered:1'),
    });
    const env = { SOURCE_DATE_EPOCH: '1700000000' };
    const wraps: Buffer[] = [];
    for (const folder of ['a', 'b']) {
      await mkdir(join(site.sandbox.work, folder));
      await writeFile(
        join(site.sandbox.work, folder, 'site.yaml'),
        'x: {image: {repository: quay.io/team/off, tag: 1}}\n',
      );
      await site.runOk(['wrap', 'shop', '-f', `${folder}/site.yaml`, '--output-file', `${folder}/w.tgz`], { env });
      wraps.push(await readFile(join(site.sandbox.work, folder, 'w.tgz')));
    }
    assert.ok(wraps[0]?.equals(wraps[1] ?? Buffer.alloc(0)), 'the wraps differ');
    const text = (await site.readWrapped('a/w.tgz')).get('.dt/discovery.json')?.toString() ?? '';
    assert.doesNotMatch(text, new RegExp(site.sandbox.work));
    const { formatVersion, charts } = JSON.parse(text) as {
      formatVersion: number;
      charts: {
        folder: string;
        rendering: { state: string; helmVersion: string };
        images: { reference: string; confidence: string; reasons: { kind: string }[] }[];
      }[];
    };
    const [chart] = charts;
    assert.deepEqual([formatVersion, charts.length, chart?.folder], [1, 1, 'shop-1.0.0']);
    assert.equal(chart?.rendering.state, 'rendered');
    assert.match(chart.rendering.helmVersion, /^v3\./);
    assert.deepEqual(
      chart.images.map(({ reference, confidence, reasons }) => [
        reference.replace(`${site.host}/`, ''),
        confidence,
        reasons.map(({ kind }) => kind),
      ]),
      [
        ['team/declared:1', 'declared', ['annotation', 'rendering']],
        ['team/rendered:1', 'rendered', ['rendering', 'rendering']],
        ['team/probe:1', 'rendered', ['rendering']],
        ['quay.io/team/off:1', 'dormant', ['values']],
      ],
    );
    await site.runOk(['verify', 'a/w.tgz']);
    const { added } = JSON.parse(await site.sandbox.runOk(['wrap', 'shop', '--declared-only', '--json'])) as {
      added: string[];
    };
    assert.deepEqual(added, []);
    await site.runOk(['info', 'a/w.tgz']);
  });
});
