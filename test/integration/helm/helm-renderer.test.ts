import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { isDtError, type DtError } from '../../../src/domain/errors.ts';
import { findHelm } from '../../../src/helm/find-helm.ts';
import { HelmRenderer, type HelmRendererOptions } from '../../../src/helm/helm-renderer.ts';
import type { RenderInput } from '../../../src/helm/render-input.ts';
import { catchError } from '../../support/assert-refused.ts';
import { chartTreeOf } from '../../support/chart-tree.ts';
import { HELM_TOOLS } from '../../support/helm.ts';
import { requireTool } from '../../support/tools.ts';

const FILES = {
  'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'values.yaml': 'name: default\n',
  'crds/crd.yaml': 'kind: CustomResourceDefinition\nmetadata: {name: crd}\n',
  'templates/x.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ required "a name, please" .Values.name }}"}\ndata: {kube: "{{ .Capabilities.KubeVersion }}", api: "{{ .Capabilities.APIVersions.Has "example.com/v9" }}"}\n',
  'templates/test.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: {name: tested, annotations: {helm.sh/hook: test}}\nspec: {}\n',
};

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-test-'));
  process.env['TMPDIR'] = folder;
});
after(async () => {
  await rm(folder, { recursive: true });
});

function inputOf(files: Readonly<Record<string, string>>, options: Partial<RenderInput> = {}): RenderInput {
  return { tree: chartTreeOf({ ...FILES, ...files }), valuesFiles: [], set: [], apiVersions: [], ...options };
}

for (const tool of HELM_TOOLS) {
  describe(`HelmRenderer with ${tool}`, () => {
    const withRenderer = async (
      t: TestContext,
      run: (renderer: HelmRenderer) => Promise<void>,
      options: Partial<HelmRendererOptions> = {},
    ): Promise<void> => {
      const path = requireTool(t, tool);
      if (path === undefined) return;
      const environment = { HELM_BIN: path };
      const helm = await findHelm({ environment });
      assert.ok(helm);
      const renderer = new HelmRenderer({ helm, chartName: 'shop', environment, concurrency: 2, ...options });
      try {
        await run(renderer);
      } finally {
        await renderer.dispose();
      }
      assert.deepEqual(await readdir(folder), []);
    };

    it('renders objects, tests and definitions', async (t) =>
      withRenderer(t, async (renderer) => {
        const output = await renderer.render(inputOf({}));
        assert.match(output, /# Source: shop\/templates\/x\.yaml/);
        assert.match(output, /name: "default"/);
        assert.match(output, /name: tested/);
        assert.match(output, /CustomResourceDefinition/);
      }));

    it('takes values, versions of Kubernetes and of APIs', async (t) =>
      withRenderer(t, async (renderer) => {
        const valuesFiles = [{ name: 'site.yaml', bytes: Buffer.from('name: from-file\n') }];
        const output = await renderer.render(
          inputOf({}, { valuesFiles, kubeVersion: '1.31.0', apiVersions: ['example.com/v9'] }),
        );
        assert.match(output, /name: "from-file"/);
        assert.match(output, /kube: "v1\.31\.0", api: "true"/);
        assert.match(await renderer.render(inputOf({}, { valuesFiles, set: ['name=set'] })), /name: "set"/);
      }));

    it('renders equal input once, and different input side by side', async (t) =>
      withRenderer(t, async (renderer) => {
        const names = ['a', 'b', 'c', 'd', 'a', 'b'];
        const outputs = await Promise.all(
          names.map(async (name) => renderer.render(inputOf({ 'values.yaml': `name: ${name}\n` }))),
        );
        assert.deepEqual(
          outputs.map((output) => /name: "(.)"/.exec(output)?.[1]),
          names,
        );
        assert.equal(renderer.statistics.renders, 4);
      }));

    it('remembers finished renderings within a bound', async (t) =>
      withRenderer(
        t,
        async (renderer) => {
          const render = async (name: string): Promise<string> =>
            renderer.render(inputOf({ 'values.yaml': `name: ${name.repeat(1_000)}\n` }));
          const outputs = await Promise.all(['a', 'a', 'b'].map(render));
          assert.equal(outputs[0], outputs[1]);
          assert.equal(renderer.statistics.renders, 2);
          // There is room for one, and that is the last.
          await render('c');
          assert.equal(renderer.statistics.renders, 3);
          await render('c');
          assert.equal(renderer.statistics.renders, 3);
          assert.equal(await render('a'), outputs[0]);
          assert.equal(renderer.statistics.renders, 4);
        },
        { maxKeptLength: 2_000 },
      ));

    it('does without what is larger than the bound', async (t) =>
      withRenderer(
        t,
        async (renderer) => {
          assert.equal(await renderer.render(inputOf({})), await renderer.render(inputOf({})));
          assert.equal(renderer.statistics.renders, 2);
        },
        { maxKeptLength: 10 },
      ));

    it('says so where no copy of the chart can be made, and tries again', { timeout: 60_000 }, async (t) =>
      withRenderer(t, async (renderer) => {
        const assertNoRoom = async (rendering: Promise<string>): Promise<void> => {
          const error = await catchError(rendering);
          assert.ok(isDtError(error, 'DT_CHART_NOT_RENDERED'), String(error));
          assert.match(error.hints.join(), /TMPDIR/);
        };
        const render = async (name: string): Promise<string> =>
          renderer.render(inputOf({ 'values.yaml': `name: ${name}\n` }));
        process.env['TMPDIR'] = join(folder, 'none');
        try {
          await Promise.all(['a', 'b', 'c', 'd', 'e'].map(render).map(assertNoRoom));
        } finally {
          process.env['TMPDIR'] = folder;
        }
        const outputs = await Promise.all(['f', 'g', 'h'].map(render));
        assert.match(outputs.join('\n'), /name: "f"[^]*name: "g"[^]*name: "h"/);
        // A path that no system takes is as good as a disk that is full.
        const endless = `z/${`${'y'.repeat(254)}/`.repeat(16)}x`;
        const failing = ['1', '2', '3'].map((text) =>
          renderer.render(inputOf({ 'templates/extra.yaml': 'kind: ConfigMap\n', [endless]: text })),
        );
        await Promise.all(failing.map(assertNoRoom));
        assert.doesNotMatch(await render('i'), /extra/);
      }),
    );

    it('leaves nothing of an earlier tree in the copy', async (t) =>
      withRenderer(t, async (renderer) => {
        const extra = { 'templates/extra.yaml': 'kind: ConfigMap\nmetadata: {name: extra}\n' };
        assert.match(await renderer.render(inputOf(extra)), /name: extra/);
        assert.doesNotMatch(await renderer.render(inputOf({ 'values.yaml': 'name: other\n' })), /name: extra/);
      }));

    it('says what a chart needs', async (t) =>
      withRenderer(t, async (renderer) => {
        const errorOf = async (input: RenderInput): Promise<DtError> => {
          const error = await catchError(renderer.render(input));
          assert.ok(isDtError(error, 'DT_CHART_NOT_RENDERED'), String(error));
          assert.doesNotMatch(error.message, new RegExp(folder));
          return error;
        };
        const missing = await errorOf(inputOf({ 'values.yaml': '{}\n' }));
        assert.match(missing.message, /a name, please/);
        assert.match(missing.hints.join(), /-f FILE or --set/);
        const old = await errorOf(inputOf({ 'Chart.yaml': `${FILES['Chart.yaml']}kubeVersion: ">=1.99.0"\n` }));
        assert.match(old.hints.join(), /--kube-version/);
        const schema = '{"type":"object","properties":{"name":{"enum":["x"]}}}';
        assert.match((await errorOf(inputOf({ 'values.schema.json': schema }))).hints.join(), /--set/);
        const bad = await errorOf(
          inputOf({}, { valuesFiles: [{ name: 'site.yaml', bytes: Buffer.from('- list\n') }] }),
        );
        assert.match(bad.message, /site\.yaml/);
      }));
  });
}

describe('findHelm', () => {
  it('looks on PATH for the name that HELM_BIN gives, else for helm', async () => {
    const program = join(folder, 'helm');
    await writeFile(program, '#!/bin/sh\necho v3.1.2+g1\n', { mode: 0o755 });
    const expected = { path: program, version: 'v3.1.2+g1' };
    assert.deepEqual(await findHelm({ environment: { PATH: `relative:${folder}` } }), expected);
    assert.deepEqual(await findHelm({ environment: { PATH: folder, HELM_BIN: 'helm' } }), expected);
    assert.deepEqual(await findHelm({ environment: { HELM_BIN: program } }), expected);
    assert.equal(await findHelm({ environment: { PATH: join(folder, 'none') } }), undefined);
    await rm(program);
    assert.ok(!existsSync(program));
  });

  it('refuses a program that is no Helm, or too old', async () => {
    for (const [name, line] of [
      ['silent', 'true'],
      ['old', 'echo Client: v2.17.0'],
      ['failing', 'echo v3.0.0; exit 1'],
    ] as const) {
      const program = join(folder, name);
      await writeFile(program, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
      const error = await catchError(findHelm({ environment: { HELM_BIN: program } }));
      assert.ok(isDtError(error, 'DT_HELM_UNUSABLE'), name);
      await rm(program);
    }
    const error = await catchError(findHelm({ environment: { HELM_BIN: join(folder, 'missing') } }));
    assert.ok(isDtError(error, 'DT_HELM_UNUSABLE'));
  });
});
