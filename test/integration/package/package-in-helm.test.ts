import assert from 'node:assert/strict';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { PLATFORMS } from '../../../scripts/package/platforms.ts';
import { listPluginYaml } from '../../../scripts/package/plugin-yaml.ts';
import { PRODUCT_VERSION } from '../../../src/domain/product.ts';
import { requirePackages } from '../../support/built-packages.ts';
import { HELM_TOOLS } from '../../support/helm.ts';
import { createSandbox } from '../../support/sandbox.ts';
import { requireTool } from '../../support/tools.ts';

const FOREIGN = PLATFORMS.filter(({ name }) => !['universal', 'linux-x64'].includes(name));

for (const tool of HELM_TOOLS) {
  test(`${tool} runs the plugin of each package`, async (t) => {
    const helm = requireTool(t, tool);
    const packages = await requirePackages(t);
    if (helm === undefined || packages === undefined) return;
    for (const kind of ['executable', 'universal'] as const) {
      const sandbox = await createSandbox(t);
      const env = kind === 'executable' ? {} : { DT_NODE: process.execPath };
      // Helm links a folder that it installs.
      const folder = join(sandbox.work, 'a plugin');
      await cp(packages[kind], folder, { recursive: true });
      await sandbox.runOk(['plugin', 'install', folder], { command: helm });
      const version = await sandbox.runOk(['dt', 'version'], { command: helm, env });
      assert.match(version, new RegExp(`dt ${PRODUCT_VERSION}\n$`));
      const completions = await sandbox.runOk(['__complete', 'dt', 'unw'], { command: helm, env });
      assert.match(completions, /^unwrap\b/);
    }
  });

  test(`${tool} says in one line that a package is for another platform`, async (t) => {
    const helm = requireTool(t, tool);
    if (helm === undefined || process.platform !== 'linux' || process.arch !== 'x64') return;
    for (const platform of FOREIGN) {
      const sandbox = await createSandbox(t);
      const folder = join(sandbox.work, 'plugins', 'dt');
      await mkdir(folder, { recursive: true });
      for (const { name, content, isProgram } of await listPluginYaml(platform, [])) {
        await writeFile(join(folder, name), content);
        if (isProgram === true) await chmod(join(folder, name), 0o755);
      }
      const env = { HELM_PLUGINS: dirname(folder) };
      const { code, stdout, stderr } = await sandbox.run(['dt', 'version'], { command: helm, env });
      assert.deepEqual([code, stdout], [1, '']);
      const [line, ...rest] = stderr.split('\n').filter((text) => !text.startsWith('Error: plugin "dt" exited'));
      assert.match(line ?? '', new RegExp(`^dt: this package is for ${platform.name}; this machine needs another one`));
      assert.deepEqual(rest, ['']);
    }
  });
}
