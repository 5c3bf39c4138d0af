import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { packChartArchive } from '../../src/archive/chart-archive.ts';
import { loadChart } from '../../src/archive/load-chart.ts';
import { buildChartTree, type ChartTree } from '../../src/domain/chart/chart-tree.ts';
import { DtError } from '../../src/domain/errors.ts';
import { findHelm } from '../../src/helm/find-helm.ts';
import { HelmRenderer, type HelmRendererOptions } from '../../src/helm/helm-renderer.ts';
import { ChartRendering } from '../../src/workflows/discovery/chart-rendering.ts';
import { HELM_TOOLS } from '../support/helm.ts';
import { chartTreeOf } from '../support/chart-tree.ts';
import { requireTool } from '../support/tools.ts';
import { catchError } from '../support/assert-refused.ts';

const OPTIONS = { valuesFiles: [], set: [], apiVersions: [] };
const CHART = 'apiVersion: v2\nname: hostile\nversion: 1.0.0\n';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-test-'));
  // Where the renderer makes its folders: this process runs this file alone.
  process.env['TMPDIR'] = folder;
});
after(async () => {
  await rm(folder, { recursive: true });
});

async function renderWith(path: string, template: string, options: Partial<HelmRendererOptions> = {}): Promise<string> {
  const environment = { ...options.environment, HELM_BIN: path };
  const helm = await findHelm({ environment });
  assert.ok(helm);
  const renderer = new HelmRenderer({ helm, chartName: 'hostile', ...options, environment });
  try {
    const tree = chartTreeOf({ 'Chart.yaml': CHART, 'templates/x.yaml': template });
    return await renderer.render({ ...OPTIONS, tree });
  } finally {
    await renderer.dispose();
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('dt-render-')),
      [],
    );
  }
}

async function refused(path: string, template: string, options?: Partial<HelmRendererOptions>): Promise<DtError> {
  const error = await catchError(renderWith(path, template, options));
  assert.ok(error instanceof DtError, String(error));
  return error;
}

/** The schema in a chart, in its subchart and in its packed subchart. */
async function nestSchema(schema: string): Promise<readonly ChartTree[]> {
  const head = { 'Chart.yaml': CHART, 'values.yaml': 'a: text\n' };
  const outer = { ...head, 'templates/x.yaml': 'kind: ConfigMap\nmetadata: {name: rendered}\n' };
  const inner = { ...head, 'Chart.yaml': CHART.replace('hostile', 'inner'), 'values.schema.json': schema };
  const folderOf = Object.fromEntries(Object.entries(inner).map(([name, text]) => [`charts/inner/${name}`, text]));
  const packed = await packChartArchive('inner', chartTreeOf(inner), { mtimeSeconds: 0 });
  return [
    chartTreeOf({ ...outer, 'values.schema.json': schema }),
    chartTreeOf({ ...outer, ...folderOf }),
    buildChartTree([
      ...chartTreeOf(outer),
      { path: 'charts/inner-1.0.0.tgz', type: 'file', mode: 0o644, bytes: packed },
    ]),
  ];
}

async function renderChartWith(path: string, tree: ChartTree): Promise<string> {
  const environment = { HELM_BIN: path };
  const helm = await findHelm({ environment });
  assert.ok(helm);
  const renderer = new HelmRenderer({ helm, chartName: 'hostile', environment });
  try {
    const { output } = await new ChartRendering(await loadChart(tree, 'hostile'), renderer, OPTIONS).render();
    return output;
  } finally {
    await renderer.dispose();
  }
}

/** A server that knows what it was asked for. */
async function withServer(run: (url: string, requests: readonly string[]) => Promise<void>): Promise<void> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await run(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, requests);
  } finally {
    server.close();
  }
}

function configMap(value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  value: ${value}\n`;
}

for (const tool of HELM_TOOLS) {
  describe(`hostile charts with ${tool}`, () => {
    const withHelm = async (t: TestContext, run: (path: string) => Promise<void>): Promise<void> => {
      const path = requireTool(t, tool);
      if (path !== undefined) await run(path);
    };

    it('stops a chart that renders too much', async (t) =>
      withHelm(t, async (path) => {
        const template = configMap('{{ range until 4000 }}{{ repeat 1000 "x" }}{{ end }}');
        const error = await refused(path, template, { maxOutputBytes: 1024 * 1024 });
        assert.equal(error.code, 'DT_CHART_NOT_RENDERED');
        assert.match(error.message, /1048576 bytes/);
      }));

    it('stops a chart that takes too much memory', { skip: process.platform !== 'linux' }, async (t) =>
      withHelm(t, async (path) => {
        // A text that doubles 30 times, none of which is printed.
        const template = '{{ $text := "x" }}{{ range until 30 }}{{ $text = print $text $text }}{{ end }}';
        const error = await refused(path, template, { maxMemoryBytes: 400_000_000 });
        assert.equal(error.code, 'DT_CHART_NOT_RENDERED');
        assert.match(error.message, /more than 400\.0 MB of memory/);
      }),
    );

    it('stops a chart that does not come to an end', async (t) =>
      withHelm(t, async (path) => {
        const template = configMap('{{ range until 1000000 }}{{ genPrivateKey "rsa" | b64enc }}{{ end }}');
        const error = await refused(path, template, { timeoutMs: 1_500 });
        assert.equal(error.code, 'DT_CHART_NOT_RENDERED');
      }));

    it('ends with the user’s interruption', async (t) =>
      withHelm(t, async (path) => {
        const interruption = new AbortController();
        const template = configMap('{{ range until 1000000 }}{{ genPrivateKey "rsa" | b64enc }}{{ end }}');
        setTimeout(() => {
          interruption.abort();
        }, 500);
        const error = await refused(path, template, { signal: interruption.signal });
        assert.equal(error.code, 'DT_INTERRUPTED');
      }));

    it('gives templates no variables', async (t) =>
      withHelm(t, async (path) => {
        for (const call of ['env "HOME"', 'expandenv "$HOME"']) {
          assert.equal((await refused(path, configMap(`{{ ${call} }}`))).code, 'DT_CHART_NOT_RENDERED');
        }
      }));

    it('gives templates no files from outside', async (t) =>
      withHelm(t, async (path) => {
        await writeFile(join(folder, 'secret'), 'top-secret');
        const output = await renderWith(
          path,
          configMap(
            `"[{{ .Files.Get "../../../secret" }}{{ .Files.Get "${folder}/secret" }}{{ range $p, $_ := .Files.Glob "../**" }}{{ $p }}{{ end }}]"`,
          ),
        );
        assert.match(output, /value: "\[\]"/);
      }));

    it('asks no cluster, whatever KUBECONFIG says', async (t) =>
      withHelm(t, async (path) => {
        await withServer(async (url, requests) => {
          const kubeconfig = join(folder, 'kubeconfig');
          await writeFile(
            kubeconfig,
            `apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "${url}"}}]\ncontexts: [{name: c, context: {cluster: c, user: c}}]\ncurrent-context: c\nusers: [{name: c, user: {token: secret}}]\n`,
          );
          const environment = {
            KUBECONFIG: kubeconfig,
            HELM_KUBEAPISERVER: url,
            HELM_KUBETOKEN: 'secret',
            http_proxy: url,
          };
          const output = await renderWith(
            path,
            configMap('"[{{ (lookup "v1" "Secret" "default" "x") | len }}{{ getHostByName "localhost" }}]"'),
            { environment },
          );
          assert.match(output, /value: "\[0\]"/);
          assert.deepEqual(requests, []);
        });
      }));

    it('reads nothing that a schema of values names', async (t) =>
      withHelm(t, async (path) => {
        await withServer(async (url, requests) => {
          await writeFile(join(folder, 'schema.json'), '{"type":"integer"}');
          const schemas = [
            `{"properties":{"a":{"$ref":"${url}/ref"}}}`,
            `\ufeff{"properties":{"a":{"\\u0024ref":"${url}/mark"}}}`,
            `{"$id":"${url}/base/","allOf":[{"properties":{"a":{"$ref":"relative.json"}}}]}`,
            `{"properties":{"a":{"$dynamicRef":"${url}/dynamic"}}}`,
            `{"$schema":"https://json-schema.org/draft/2019-09/schema","properties":{"a":{"$recursiveRef":"${url}/recursive"}}}`,
            `{"$schema":"${url}/dialect"}`,
            `{"properties":{"a":{"$schema":"${url}/inner"}}}`,
            `{"properties":{"a":{"$ref":"file://${folder}/schema.json"}}}`,
          ];
          for (const schema of schemas) {
            for (const tree of await nestSchema(schema)) {
              assert.match(await renderChartWith(path, tree), /name: rendered/, schema);
            }
          }
          assert.deepEqual(requests, []);
        });
      }));

    it('checks values by a schema that stands alone', async (t) =>
      withHelm(t, async (path) => {
        const integer = (reference: string): string =>
          `{"$schema":"http://json-schema.org/draft-07/schema#","$id":"https://example.com/values","properties":{"a":{"$ref":"${reference}"}},"definitions":{"a":{"type":"integer"}}}`;
        for (const schema of [integer('#/definitions/a'), `${integer('https://example.com/a')} no JSON`]) {
          for (const tree of await nestSchema(schema)) {
            const error = await catchError(renderChartWith(path, tree));
            assert.ok(error instanceof DtError, schema);
            assert.equal(error.code, 'DT_CHART_NOT_RENDERED');
            assert.match(error.message, /schema/);
          }
        }
      }));
  });
}

describe('the environment of Helm', () => {
  it('holds nothing of the environment of this program but where programs lie', async () => {
    // Says what it was started with, as Helm would print objects.
    const program = join(folder, 'helm-that-tells');
    await writeFile(program, '#!/bin/sh\nif [ "$1" = version ]; then echo v3.99.0; else export -p; echo "$@"; fi\n', {
      mode: 0o755,
    });
    const secrets = {
      AWS_SECRET_ACCESS_KEY: 'planted-1',
      HTTPS_PROXY: 'http://user:planted-2@proxy',
      HELM_KUBETOKEN: 'planted-3',
      HELM_REGISTRY_CONFIG: '/planted-4/config.json',
      KUBECONFIG: '/planted-5',
      REGISTRY_AUTH_FILE: '/planted-6',
      HOME: '/planted-7',
      HELM_PLUGINS: '/planted-8',
      PATH: `/usr/bin:${folder}`,
    };
    const output = await renderWith(program, 'x', { environment: secrets });
    assert.match(output, /HELM_PLUGINS='?[^\n]*no-plugins/);
    assert.match(output, /PATH='?\/usr\/bin:/);
    assert.doesNotMatch(output, /planted/);
  });
});
