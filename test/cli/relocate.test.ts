import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { packArchive, readArchiveFiles } from '../support/archives.ts';
import { createDiscoverySite, NO_HELM, podOf, type DiscoverySite } from '../support/discovery-site.ts';
import { DT_PATH } from '../support/run-cli.ts';
import { requireTool } from '../support/tools.ts';

const P = 'registry.internal:5000/mirror';
const INTERRUPTED = 130;
const MAX_WAIT_MS = 20_000;
const CHART = `apiVersion: v2
name: shop
version: 1.0.0
annotations:
  # what it needs
  images: |
    - {name: app, image: "quay.io/team/app:1"}
`;
const VALUES = 'image:\n  repository: quay.io/team/app   # ours\n  tag: "1"\n';
const TEMPLATE = `${podOf('p', '{{ .Values.image.repository }}:{{ .Values.image.tag }}')}    - name: fixed\n      image: ghcr.io/team/fixed:1\n`;
const FILES = { 'Chart.yaml': CHART, 'values.yaml': VALUES, 'templates/p.yaml': TEMPLATE };
const ENDLESS = '{{ range until 1000000 }}{{ genPrivateKey "rsa" | b64enc }}{{ end }}';

interface Document {
  readonly changes: readonly {
    readonly file: string;
    readonly line: number;
    readonly from: string;
    readonly to: string;
  }[];
  readonly refused: readonly unknown[];
  readonly written: boolean;
  readonly proof: {
    readonly state: string;
    readonly reason?: string;
    readonly helmVersion?: string;
    readonly moved: readonly { readonly from: string; readonly to: string }[];
    readonly left: readonly { readonly reference: string; readonly why: string; readonly template: string }[];
    readonly renderCount: number;
  };
}

async function openSite(
  t: TestContext,
  files: Readonly<Record<string, string>> = FILES,
): Promise<DiscoverySite | undefined> {
  const site = await createDiscoverySite(t, []);
  await site?.writeChart('shop', files);
  return site;
}

async function readTexts(site: DiscoverySite): Promise<Record<string, string>> {
  const texts = Object.keys(FILES).map(async (path) => [path, await site.readText(`shop/${path}`)] as const);
  return Object.fromEntries(await Promise.all(texts));
}

describe('dt charts relocate', () => {
  test('--check prints the changes and the proof, and changes nothing', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const said = await site.runOk(['charts', 'relocate', 'shop', P, '--check']);
    assert.match(said, /Changes: 3 places/);
    assert.ok(said.includes(`values.yaml:2 image.repository: quay.io/team/app → ${P}/team/app`), said);
    assert.ok(said.includes(`templates/p.yaml:9: ghcr.io/team/fixed:1 → ${P}/team/fixed:1`), said);
    assert.match(said, /Proof: 2 images moved in \d+ renderings, nothing else differs/);
    assert.ok(said.includes(`quay.io/team/app:1 → ${P}/team/app:1`), said);
    assert.doesNotMatch(said, /relocated$/m);
    assert.deepEqual(await readTexts(site), FILES);
    assert.deepEqual(await site.sandbox.listTemporary(), []);
  });

  test('changes the folder in place; again there is nothing to do', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    assert.match(await site.runOk(['charts', 'relocate', 'shop', `oci://${P}`]), /Helm chart shop relocated/);
    const moved = Object.fromEntries(
      Object.entries(FILES).map(([path, content]) => [path, content.replaceAll(/(?:quay|ghcr)\.io/g, P)]),
    );
    assert.deepEqual(await readTexts(site), moved);
    assert.match(await site.runOk(['charts', 'relocate', 'shop', P]), /Changes: 0 places/);
    assert.deepEqual(await readTexts(site), moved);
  });

  test('--json carries the proof', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const { stdout, code } = await site.run(['charts', 'relocate', 'shop', P, '--json', '--no-patch-templates']);
    assert.equal(code, 0);
    const { changes, refused, written, proof } = JSON.parse(stdout) as Document;
    assert.equal(written, true);
    assert.deepEqual(
      changes.map(({ file, line, from, to }) => [file, line, from, to]),
      [
        ['Chart.yaml', 7, 'quay.io/team/app:1', `${P}/team/app:1`],
        ['values.yaml', 2, 'quay.io/team/app', `${P}/team/app`],
      ],
    );
    assert.deepEqual(refused, []);
    assert.equal(proof.state, 'proven');
    assert.match(proof.helmVersion ?? '', /^v3\./);
    assert.ok(proof.renderCount >= 2);
    assert.deepEqual(
      proof.moved.map(({ from, to }) => [from, to]),
      [['quay.io/team/app:1', `${P}/team/app:1`]],
    );
    assert.deepEqual(
      proof.left.map(({ reference, why, template }) => [reference, why, template]),
      [['ghcr.io/team/fixed:1', 'hard-coded', 'shop/templates/p.yaml']],
    );
    assert.equal(await site.readText('shop/templates/p.yaml'), TEMPLATE);
  });

  test('--no-patch-templates names the place of what it leaves', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const said = await site.runOk(['charts', 'relocate', 'shop', P, '--no-patch-templates']);
    assert.match(said, /Proof: 1 image moved in \d+ renderings, 1 left, nothing else differs/);
    assert.match(
      said,
      /ghcr\.io\/team\/fixed:1 is left in Pod\/p spec\.containers\[1\]\.image \(templates\/p\.yaml:9\): it stands in a template/,
    );
  });

  test('-f and --set say how the chart is rendered', async (t) => {
    const site = await openSite(t, {
      ...FILES,
      'values.yaml': `${VALUES}sidecar: ""\ndomain: ""\n`,
      'templates/p.yaml': `{{ $_ := required "no domain" .Values.domain }}${TEMPLATE}{{ with .Values.sidecar }}    - {name: s, image: {{ . }}}\n{{ end }}`,
    });
    if (site === undefined) return;
    const unproven = await site.runOk(['charts', 'relocate', 'shop', P, '--check']);
    assert.match(unproven, /Proof: none, .*no domain/);
    await writeFile(join(site.sandbox.work, 'site.yaml'), 'sidecar: ghcr.io/site/sidecar:1\n');
    const said = await site.runOk(['charts', 'relocate', 'shop', P, '-f', 'site.yaml', '--set', 'domain=x']);
    assert.match(
      said,
      /ghcr\.io\/site\/sidecar:1 is left .*\(-f site\.yaml:1 sidecar\): it stands in a values file that is not to be changed/,
    );
    assert.equal(await site.readText('site.yaml'), 'sidecar: ghcr.io/site/sidecar:1\n');
  });

  test('an archive is replaced by one of the same folder', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const files = Object.fromEntries(Object.entries(FILES).map(([path, content]) => [`shop/${path}`, content]));
    const archive = join(site.sandbox.work, 'shop-1.0.0.tgz');
    await writeFile(archive, await packArchive(files));
    await site.runOk(['charts', 'relocate', 'shop-1.0.0.tgz', P]);
    const relocated = await readArchiveFiles(archive);
    assert.equal(String(relocated.get('values.yaml')), VALUES.replace('quay.io', P));
    assert.equal(String(relocated.get('templates/p.yaml')), TEMPLATE.replace('ghcr.io', P));
    const bytes = await readFile(archive);
    await site.runOk(['charts', 'relocate', 'shop-1.0.0.tgz', P]);
    assert.ok(bytes.equals(await readFile(archive)));
  });

  test('without Helm it says that nothing was proven', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    const env = { HELM_BIN: NO_HELM };
    assert.match(await site.runOk(['charts', 'relocate', 'shop', P], { env }), /Proof: none, there is no Helm/);
    assert.equal(await site.readText('shop/values.yaml'), VALUES.replace('quay.io', P));
    const { stdout } = await site.run(['charts', 'relocate', 'shop', P, '--json'], { env });
    assert.equal((JSON.parse(stdout) as Document).proof.state, 'unproven');
  });

  test('a prefix that is none and a chart that is not there end with their codes', async (t) => {
    const site = await openSite(t);
    if (site === undefined) return;
    for (const [args, status, code] of [
      [['shop', 'https://registry.internal/x'], 2, 'DT_BAD_PREFIX'],
      [['shop', 'registry.internal/Upper'], 2, 'DT_BAD_PREFIX'],
      [['missing', P], 1, 'DT_FILE_NOT_FOUND'],
      [['shop', P, '--values', 'values-none.yaml'], 1, 'DT_FILE_NOT_FOUND'],
      [['shop', P, '-f', 'none.yaml'], 1, 'DT_FILE_NOT_FOUND'],
    ] as const) {
      const result = await site.run(['charts', 'relocate', ...args]);
      assert.equal(result.code, status, result.stderr);
      assert.match(result.stderr, new RegExp(`Code: ${code}\\n`));
    }
    assert.deepEqual(await readTexts(site), FILES);
  });

  test('Ctrl-C while Helm renders leaves the chart as it is, and nothing behind', async (t) => {
    const site = await openSite(t, { ...FILES, 'templates/endless.yaml': ENDLESS });
    const helm = requireTool(t, 'helm3');
    if (site === undefined || helm === undefined) return;
    const { sandbox } = site;
    const child = spawn(DT_PATH, ['charts', 'relocate', 'shop', P], {
      cwd: sandbox.work,
      env: { ...process.env, ...sandbox.env, HELM_BIN: helm, CI: '1' },
    });
    t.after(() => child.kill('SIGKILL'));
    const [output, ended] = [text(child.stderr), once(child, 'exit')];
    const startedAtMs = performance.now();
    while (!(await sandbox.listTemporary()).some((name) => name.startsWith('dt-render-'))) {
      assert.ok(performance.now() - startedAtMs < MAX_WAIT_MS, 'nothing was rendered');
      await sleep(20);
    }
    await sleep(200);
    child.kill('SIGINT');
    assert.deepEqual(await ended, [INTERRUPTED, null]);
    assert.match(await output, /Code: DT_INTERRUPTED/);
    assert.deepEqual(await readTexts(site), FILES);
    assert.deepEqual(await sandbox.listTemporary(), []);
  });
});
