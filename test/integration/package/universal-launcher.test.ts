import assert from 'node:assert/strict';
import { chmod, cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PRODUCT_VERSION } from '../../../src/domain/product.ts';
import { requirePackages } from '../../support/built-packages.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';

const SYSTEM_PATH = '/usr/bin:/bin';
const NEEDED = 'dt: needs Node.js 22.13 or newer on PATH, or its path in DT_NODE';

interface Site {
  readonly sandbox: Sandbox;
  readonly launcher: string;
  /** A folder for PATH with a `node` that is the one of the tests, or says that it has this version. */
  createNode(version?: string): Promise<string>;
  run(env: Readonly<Record<string, string | undefined>>, args?: readonly string[]): ReturnType<Sandbox['run']>;
}

/** The universal package in a folder with an awkward name. */
async function openSite(t: TestContext): Promise<Site | undefined> {
  const packages = await requirePackages(t);
  if (packages === undefined) return undefined;
  const sandbox = await createSandbox(t);
  const folder = join(sandbox.work, 'mit Leerzeichen & Ümlaut');
  await cp(packages.universal, folder, { recursive: true });
  const launcher = join(folder, 'dt');
  return {
    sandbox,
    launcher,
    createNode: async (version) => {
      const path = join(sandbox.home, `node ${version ?? 'own'}`);
      await mkdir(path);
      if (version === undefined) await symlink(process.execPath, join(path, 'node'));
      else await writeFile(join(path, 'node'), `#!/bin/sh\necho ${version}\n`);
      if (version !== undefined) await chmod(join(path, 'node'), 0o755);
      return path;
    },
    run: async (env, args = ['version']) => sandbox.run(args, { command: launcher, env }),
  };
}

test('the universal package runs with the node on PATH and leaves its folder as it is', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const folder = join(site.launcher, '..');
  const before = await readdir(folder);
  const path = await site.createNode();
  const { code, stdout, stderr } = await site.run({ PATH: `${path}:${SYSTEM_PATH}`, HELM_PLUGIN_DIR: undefined });
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, new RegExp(`dt ${PRODUCT_VERSION}\n$`));
  assert.deepEqual(await readdir(folder), before);
});

test('the universal package runs with DT_NODE, and through a link', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const link = join(site.sandbox.work, 'linked');
  await symlink(site.launcher, link);
  const env = { PATH: SYSTEM_PATH, DT_NODE: join(await site.createNode(), 'node') };
  const { code, stderr } = await site.sandbox.run(['version'], { command: link, env });
  assert.deepEqual([code, stderr], [0, '']);
});

test('a Node.js that cannot run the program is refused in one line', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  for (const version of ['v22.12.0', 'v20.20.2', 'v9.11.2', 'v22.9.0']) {
    const path = await site.createNode(version);
    const { code, stdout, stderr } = await site.run({ PATH: `${path}:${SYSTEM_PATH}` });
    assert.deepEqual([code, stdout, stderr], [1, '', `${NEEDED}; node is ${version}\n`]);
  }
  const odd = await site.run({ PATH: `${await site.createNode('Hello')}:${SYSTEM_PATH}` });
  assert.deepEqual([odd.code, odd.stderr], [1, `${NEEDED}; node is something else\n`]);
});

test('without a Node.js the universal package says in one line what it needs', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const tools = join(site.sandbox.home, 'tools');
  await mkdir(tools);
  for (const tool of ['dirname', 'readlink', 'sh']) await symlink(`/usr/bin/${tool}`, join(tools, tool));
  for (const env of [{ PATH: tools }, { PATH: SYSTEM_PATH, DT_NODE: '/nonexistent/node' }]) {
    const { code, stdout, stderr } = await site.run(env);
    assert.deepEqual([code, stdout, stderr], [1, '', `${NEEDED}\n`]);
  }
});

test('a Node.js from 22.13 on is taken', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  for (const version of ['v22.13.0', 'v24.0.0', 'v100.1.0']) {
    const path = await site.createNode(version);
    // It is called again for the program, and says its version once more.
    const { code, stdout } = await site.run({ PATH: `${path}:${SYSTEM_PATH}` });
    assert.deepEqual([code, stdout], [0, `${version}\n`]);
  }
});
