import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packChartArchive, unpackChartArchive } from '../../../src/archive/chart-archive.ts';
import { readChartFolder } from '../../../src/archive/chart-folder.ts';
import { annotationOf, createDiscoverySite, NO_HELM, podOf } from '../../support/discovery-site.ts';

const HEAD = '# A shop\nname: shop # of ours\napiVersion: v2\nversion: 1.0.0\n';
const ADDED = '    - image: HOST/team/rendered:1\n      name: rendered\n';
const POD = { 'templates/pod.yaml': podOf('p', 'HOST/team/declared:1', 'HOST/team/rendered:1') };

describe('charts annotate', () => {
  it('adds what is rendered behind what is declared, once, and changes no other byte', async (t) => {
    const site = await createDiscoverySite(t, ['declared', 'rendered']);
    if (site === undefined) return;
    for (const [chart, lineEnd] of [
      ['unix', '\n'],
      ['windows', '\r\n'],
    ] as const) {
      const [before, after] = [`${HEAD}${annotationOf('declared')}`, `${HEAD}${annotationOf('declared')}${ADDED}`].map(
        (text) => `${text}home: https://example.com # last\n`.replaceAll('\n', lineEnd),
      );
      await site.writeChart(chart, { 'Chart.yaml': before ?? '', ...POD });
      const file = join(site.sandbox.work, chart, 'Chart.yaml');
      await chmod(file, 0o640);
      assert.match(await site.runOk(['charts', 'annotate', chart]), /Added: \S+\/team\/rendered:1/);
      assert.equal(await site.readText(`${chart}/Chart.yaml`), after?.replaceAll('HOST', site.host));
      const { mtimeMs, mode } = await stat(file);
      assert.equal(mode & 0o777, 0o640);
      assert.match(await site.runOk(['charts', 'annotate', chart]), /left as it is/);
      assert.equal((await stat(file)).mtimeMs, mtimeMs);
      // Now the chart says it all itself.
      await site.runOk(['images', 'lock', chart, '--declared-only']);
      assert.deepEqual(await site.readLock(`${chart}/Images.lock`), [
        'shop declared team/declared:1',
        'shop rendered team/rendered:1',
      ]);
    }
    assert.deepEqual(await site.sandbox.listTemporary(), []);
  });

  it('leaves to a subchart what that declares, and writes the annotation that is named', async (t) => {
    const site = await createDiscoverySite(t, []);
    if (site === undefined) return;
    await site.writeChart('shop', {
      'Chart.yaml': HEAD,
      ...POD,
      'charts/sub/Chart.yaml': `apiVersion: v2\nname: sub\nversion: 1.0.0\n${annotationOf('declared').replace('  images', '  example.com/list')}`,
    });
    const said = await site.runOk(['charts', 'annotate', 'shop', '--annotations-key', 'example.com/list', '--json']);
    const { images } = JSON.parse(said.slice(said.indexOf('{'), said.lastIndexOf('}') + 1)) as { images: object[] };
    assert.deepEqual(images, [{ reference: `${site.host}/team/rendered:1`, name: 'rendered' }]);
    const text = `${HEAD}annotations:\n  example.com/list: |\n${ADDED}`;
    assert.equal(await site.readText('shop/Chart.yaml'), text.replaceAll('HOST', site.host));
  });

  it('changes a packed chart, and nothing else in it', async (t) => {
    const site = await createDiscoverySite(t, []);
    if (site === undefined) return;
    await site.writeChart('shop', { 'Chart.yaml': HEAD, ...POD, 'scripts/run.sh': 'exit\n' });
    const at = (path: string): string => join(site.sandbox.work, path);
    await chmod(at('shop/scripts/run.sh'), 0o755);
    const before = await readChartFolder(at('shop'));
    await writeFile(at('shop.tgz'), await packChartArchive('shop', before, { mtimeSeconds: 1 }));
    await writeFile(at('shop.tgz.prov'), 'signed');
    assert.match(await site.runOk(['charts', 'annotate', 'shop.tgz']), /Warning: shop\.tgz\.prov/);
    const packed = await readFile(at('shop.tgz'));
    const after = await unpackChartArchive(packed, 'shop.tgz');
    const annotated = after.find(({ path }) => path === 'Chart.yaml');
    assert.match(String(annotated?.bytes), /team\/rendered:1/);
    assert.deepEqual(
      after.map((entry) => ({ ...entry, bytes: entry === annotated ? '' : Buffer.from(entry.bytes).toString() })),
      before.map((entry) => ({
        ...entry,
        bytes: entry.path === 'Chart.yaml' ? '' : Buffer.from(entry.bytes).toString(),
      })),
    );
    await site.runOk(['charts', 'annotate', 'shop.tgz']);
    assert.ok(packed.equals(await readFile(at('shop.tgz'))));
  });

  it('writes what is likely only if no registry denies it', async (t) => {
    const site = await createDiscoverySite(t, ['sidecar']);
    if (site === undefined) return;
    const values = ['HOST/team/sidecar:1', 'HOST/team/missing:1', '127.0.0.1:9/team/unknown:1'];
    const env = values.map((value, index) => `        - {name: A${String(index)}_IMAGE, value: "${value}"}\n`);
    await site.writeChart('shop', {
      'templates/p.yaml': `${podOf('p', 'HOST/team/app:1')}      env:\n${env.join('')}`,
    });
    const said = await site.runOk(['charts', 'annotate', 'shop', '--include-likely', '--retries', '0']);
    assert.match(said, /missing:1 only looks like an image of the chart and is left out/);
    assert.match(said, /unknown:1 only looks like an image of the chart and cannot be looked for/);
    assert.deepEqual(
      [...(await site.readText('shop/Chart.yaml')).matchAll(/name: (\S+)$/gm)]
        .slice(1)
        .map(([, name]) => name)
        .toSorted(),
      ['app', 'sidecar', 'unknown'],
    );
  });

  it('writes nothing where nothing is found, and fails where nobody could look', async (t) => {
    const site = await createDiscoverySite(t, []);
    if (site === undefined) return;
    await site.writeChart('empty', { 'templates/c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n' });
    const before = await site.readText('empty/Chart.yaml');
    assert.match(await site.runOk(['charts', 'annotate', 'empty']), /Warning: no image/);
    assert.match(await site.runOk(['charts', 'annotate', 'empty'], { env: { HELM_BIN: NO_HELM } }), /no Helm/);
    await site.writeChart('picky', { 'templates/p.yaml': '{{ required "give a domain" .Values.domain }}' });
    const picky = await site.run(['charts', 'annotate', 'picky']);
    assert.equal(picky.code, 1);
    assert.match(picky.stderr, /DT_CHART_NOT_RENDERED/);
    const missing = await site.run(['charts', 'annotate', 'missing']);
    assert.match(missing.stderr, /DT_FILE_NOT_FOUND/);
    assert.equal(await site.readText('empty/Chart.yaml'), before);
  });

  it('changes the file that a link leads to, and nothing if it cannot be written', async (t) => {
    const site = await createDiscoverySite(t, []);
    if (site === undefined) return;
    await site.writeChart('shop', { 'Chart.yaml': HEAD, ...POD });
    const at = (path: string): string => join(site.sandbox.work, path);
    await mkdir(at('shop/real'));
    await rename(at('shop/Chart.yaml'), at('shop/real/Chart.yaml'));
    await symlink('real/Chart.yaml', at('shop/Chart.yaml'));
    await site.runOk(['charts', 'annotate', 'shop']);
    assert.match(await site.readText('shop/real/Chart.yaml'), /rendered:1/);
    assert.equal(await site.readText('shop/Chart.yaml'), await site.readText('shop/real/Chart.yaml'));
    await writeFile(at('shop/real/Chart.yaml'), `${HEAD}annotations: &a {}\nx: *a\n`);
    const { code, stderr } = await site.run(['charts', 'annotate', 'shop']);
    assert.equal(code, 1);
    assert.match(stderr, /DT_ANNOTATION_INVALID/);
    assert.equal(await site.readText('shop/real/Chart.yaml'), `${HEAD}annotations: &a {}\nx: *a\n`);
  });
});
