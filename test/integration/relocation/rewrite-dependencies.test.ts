import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { relocateLocalChart } from '../../../src/workflows/relocate-local-chart.ts';
import { createHelmContext, HELM_TOOLS } from '../../support/helm.ts';
import { withFolder } from '../../support/hostile-wraps.ts';
import { startEmbeddedRegistry } from '../../support/registries.ts';
import { requireTool } from '../../support/tools.ts';

const run = promisify(execFile);
const CHART = 'apiVersion: v2\nname: parent\nversion: 1.0.0\n';

for (const version of HELM_TOOLS) {
  test(`${version} builds the dependencies of a relocated chart from the new place, by its own lock`, async (t) => {
    const helm = requireTool(t, version);
    if (helm === undefined) return;
    const registry = await startEmbeddedRegistry();
    t.after(async () => registry.close());
    await withFolder(async (folder) => {
      const home = join(folder, 'home');
      const env = {
        PATH: process.env['PATH'],
        HOME: home,
        HELM_CACHE_HOME: home,
        HELM_CONFIG_HOME: home,
        HELM_DATA_HOME: home,
      };
      const execute = async (...args: string[]): Promise<string> =>
        (await run(helm, args, { cwd: folder, env })).stdout;
      const child = join(folder, 'child');
      await mkdir(child);
      await writeFile(join(child, 'Chart.yaml'), 'apiVersion: v2\nname: child\nversion: 0.1.0\n');
      await execute('package', 'child');
      for (const path of ['source', 'mirror/charts'])
        await execute('push', 'child-0.1.0.tgz', `oci://${registry.host}/${path}`, '--plain-http');
      const parent = join(folder, 'parent');
      await mkdir(parent);
      const dependencies = [
        'dependencies: # <ours> & others',
        '  - name: child',
        '    version: ">=0.1.0 <1"',
        `    repository: "oci://${registry.host}/source"  # of the vendor`,
        '    condition: child.enabled',
        '    tags: [a, "<b>"]',
        '',
      ].join('\n');
      await writeFile(join(parent, 'Chart.yaml'), CHART + dependencies);
      await writeFile(join(parent, 'values.yaml'), 'child: {enabled: true}\n');
      await execute('dependency', 'update', 'parent', '--plain-http');

      const result = await relocateLocalChart(
        {
          path: parent,
          prefix: `${registry.host}/mirror/charts`,
          valuesFiles: ['values.yaml'],
          render: { valuesFiles: [], set: [], apiVersions: [] },
          keepTemplates: false,
          isCheck: false,
          rewritesDependencies: true,
        },
        await createHelmContext(helm),
      );
      assert.equal(result.isWritten, true);
      assert.deepEqual(
        result.changes.map(({ file, path }) => `${file} ${path}`),
        ['Chart.lock dependencies[0].repository', 'Chart.lock digest', 'Chart.yaml dependencies[0].repository'],
      );
      const text = await readFile(join(parent, 'Chart.yaml'), 'utf8');
      assert.equal(text, CHART + dependencies.replace('/source', '/mirror/charts'));
      await rm(join(parent, 'charts'), { recursive: true });
      // "the lock file (Chart.lock) is out of sync" if the digest does not fit.
      await execute('dependency', 'build', 'parent', '--plain-http');
      assert.match(
        await execute('dependency', 'list', 'parent'),
        /child\s+>=0\.1\.0 <1\s+oci:\/\/\S+\/mirror\/charts\s+ok/,
      );
    });
  });
}
