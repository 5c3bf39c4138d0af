import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { packArchive, readArchiveFiles } from '../support/archives.ts';
import { createDiscoverySite, NO_HELM, podOf, type DiscoverySite } from '../support/discovery-site.ts';

const P = 'registry.internal:5000/mirror';
const IMAGE = '{{ .registry }}/{{ .repository }}:{{ .tag }}';
/** Two images that have the last two parts in common, and what runs both. */
const ALIKE = {
  'values.yaml':
    'one: {registry: quay.io, repository: a/team/api, tag: "1"}\ntwo: {registry: quay.io, repository: b/team/api, tag: "1"}\n',
  'templates/one.yaml': `{{ with .Values.one }}\n${podOf('one', IMAGE)}{{ end }}\n`,
  'templates/two.yaml': `{{ with .Values.two }}\n${podOf('two', IMAGE)}{{ end }}\n`,
};
const COLLISION = `quay.io/a/team/api:1 and quay.io/b/team/api:1 would both become ${P}/team/api:1`;
const RELOCATE = ['charts', 'relocate', 'shop', P];

async function openSite(t: TestContext, files: Readonly<Record<string, string>>): Promise<DiscoverySite | undefined> {
  const site = await createDiscoverySite(t, []);
  await site?.writeChart('shop', files);
  return site;
}

async function checkCollision(site: DiscoverySite, args: readonly string[], helm?: string): Promise<void> {
  const options = helm === undefined ? {} : { env: { HELM_BIN: helm } };
  const { code, stdout, stderr } = await site.run(args, options);
  assert.equal(code, 1, stdout);
  assert.ok(stderr.includes(`Error: ${COLLISION}\n`), stderr);
  assert.match(stderr, /^ *--naming keep-path\n *--map-file FILE .*\nCode: DT_RELOCATION_COLLISION$/m);
  assert.equal(await site.readText('shop/values.yaml'), ALIKE['values.yaml']);
}

describe('two images that charts relocate would give one name', () => {
  test('are refused before anything changes, with both names and the flags that help', async (t) => {
    const site = await openSite(t, ALIKE);
    if (site === undefined) return;
    await checkCollision(site, RELOCATE);
    await checkCollision(site, [...RELOCATE, '--check']);
    await site.runOk([...RELOCATE, '--naming', 'keep-path']);
    const values = ALIKE['values.yaml'].replaceAll('quay.io', 'registry.internal:5000');
    assert.equal(await site.readText('shop/values.yaml'), values.replaceAll(/(?=[ab]\/team)/g, 'mirror/'));
  });

  test('are told apart by a map file', async (t) => {
    const site = await openSite(t, ALIKE);
    if (site === undefined) return;
    await writeFile(join(site.sandbox.work, 'map.yaml'), '- {from: quay.io/b, to: second}\n');
    const said = await site.runOk([...RELOCATE, '--map-file', 'map.yaml']);
    assert.ok(said.includes(`quay.io/a/team/api:1 → ${P}/team/api:1`), said);
    assert.ok(said.includes(`quay.io/b/team/api:1 → ${P}/second/team/api:1`), said);
  });

  test('are refused where only the annotation names one of them', async (t) => {
    const images = 'annotations:\n  images: |\n    - {name: b, image: "quay.io/b/team/api:1"}\n';
    const chart = `apiVersion: v2\nname: shop\nversion: 1.0.0\n${images}`;
    const { 'templates/two.yaml': _two, ...files } = ALIKE;
    const site = await openSite(t, { ...files, 'Chart.yaml': chart });
    if (site === undefined) return;
    const { code, stderr } = await site.run(RELOCATE);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /quay\.io\/b\/team\/api:1 and quay\.io\/a\/team\/api:1 would both become/);
    assert.equal(await site.readText('shop/Chart.yaml'), chart);
    assert.equal(await site.readText('shop/values.yaml'), ALIKE['values.yaml']);
  });

  test('leave an archive as it is', async (t) => {
    const site = await openSite(t, ALIKE);
    if (site === undefined) return;
    const files = { 'Chart.yaml': await site.readText('shop/Chart.yaml'), ...ALIKE };
    const archive = join(site.sandbox.work, 'shop.tgz');
    await writeFile(
      archive,
      await packArchive(Object.fromEntries(Object.entries(files).map(([path, text]) => [`shop/${path}`, text]))),
    );
    const before = await readArchiveFiles(archive);
    await checkCollision(site, ['charts', 'relocate', 'shop.tgz', P]);
    assert.deepEqual(await readArchiveFiles(archive), before);
  });

  test('are refused without Helm by what the values say, tags included', async (t) => {
    const site = await openSite(t, ALIKE);
    if (site === undefined) return;
    await checkCollision(site, RELOCATE, NO_HELM);
    const values = ALIKE['values.yaml'].replace(/"1"\}\n$/, '"2"}\n');
    await site.writeChart('shop', { 'values.yaml': values });
    await site.runOk(RELOCATE, { env: { HELM_BIN: NO_HELM } });
    assert.match(
      await site.readText('shop/values.yaml'),
      /mirror\/team\/api, tag: "1"\}\n.*mirror\/team\/api, tag: "2"/,
    );
  });

  test('are told, not refused, if the chart renders one of them only', async (t) => {
    const site = await openSite(t, { ...ALIKE, 'templates/two.yaml': '' });
    if (site === undefined) return;
    const said = await site.runOk(RELOCATE);
    assert.ok(said.includes(`Warning: ${COLLISION}`), said);
    assert.match(said, /Proof: 1 image moved/);
  });

  test('are told, not refused, if one has the name already', async (t) => {
    const values = ALIKE['values.yaml'].split('\n')[0] ?? '';
    const annotations = 'annotations:\n  images: |\n    - {name: one, image: "quay.io/a/team/api:1"}\n';
    const site = await openSite(t, {
      'Chart.yaml': `apiVersion: v2\nname: shop\nversion: 1.0.0\n${annotations}`,
      'templates/one.yaml': ALIKE['templates/one.yaml'],
    });
    if (site === undefined) return;
    for (const options of [{}, { env: { HELM_BIN: NO_HELM } }]) {
      await site.writeChart('shop', { 'values.yaml': values, 'site.yaml': values });
      await site.runOk(RELOCATE, options);
      const said = await site.runOk([...RELOCATE, '--values', 'values.yaml,site.yaml'], options);
      assert.match(said, /Warning: .* would both become/);
      assert.equal(await site.readText('shop/site.yaml'), await site.readText('shop/values.yaml'));
    }
  });
});

describe('charts relocate', () => {
  test('takes no prefix with a path in upper case', async (t) => {
    const site = await openSite(t, { ...ALIKE, 'templates/two.yaml': '' });
    if (site === undefined) return;
    for (const flags of [[], ['--check'], ['--pull-prefix', P]]) {
      const { code, stdout, stderr } = await site.run([
        'charts',
        'relocate',
        'shop',
        'registry.internal/Mirror',
        ...flags,
      ]);
      assert.equal(code, 2, stdout);
      assert.match(
        stderr,
        /"registry\.internal\/Mirror" is not a registry with an optional path\n[^]*Code: DT_BAD_PREFIX\n/,
      );
    }
    assert.equal(await site.readText('shop/values.yaml'), ALIKE['values.yaml']);
  });

  for (const [what, folder] of [
    ['does not exist', '/folder/that/is/not/there'],
    ['is a file', '/dev/null'],
  ] as const) {
    test(`proves nothing in a temporary folder that ${what}, and says why`, async (t) => {
      const site = await openSite(t, {
        ...ALIKE,
        'templates/two.yaml': '',
        'values.yaml': ALIKE['values.yaml'].split('\n')[0] ?? '',
      });
      if (site === undefined) return;
      const env = { TMPDIR: folder };
      const before = await site.readText('shop/values.yaml');
      const refused = await site.run([...RELOCATE, '--set', 'x=y'], { env, timeoutMs: 20_000 });
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /TMPDIR names a folder with room for a copy of the chart\n[^]*Code: DT_CHART_NOT_RENDERED/,
      );
      assert.equal(await site.readText('shop/values.yaml'), before);
      const said = await site.runOk(RELOCATE, { env, timeoutMs: 20_000 });
      assert.ok(said.includes(`Proof: none, the chart "shop" does not render: `), said);
      assert.ok(said.includes(folder), said);
      assert.match(await site.readText('shop/values.yaml'), /repository: mirror\/team\/api/);
    });
  }
});
