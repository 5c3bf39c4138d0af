import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../../scripts/lib/run-command.ts';
import { PLUGIN_NAME, PRODUCT_VERSION } from '../../src/domain/product.ts';
import { parsePluginMetadata } from '../../src/domain/plugin/plugin-metadata.ts';

async function readText(path: string): Promise<string> {
  return readFile(join(REPOSITORY_ROOT, path), 'utf8');
}

// The version stands in package.json. What must be a file of its own in a checkout is kept equal here.
test('plugin.yaml and the lock of the dependencies have the version of package.json', async () => {
  const { version } = JSON.parse(await readText('package.json')) as { version: string };
  assert.equal(PRODUCT_VERSION, version);
  const plugin = parsePluginMetadata(Buffer.from(await readText('plugin.yaml')), 'plugin.yaml');
  assert.deepEqual(plugin, { name: PLUGIN_NAME, version });
  assert.equal((JSON.parse(await readText('package-lock.json')) as { version: string }).version, version);
});

test('the changelog speaks of the version', async () => {
  const changelog = await readText('CHANGELOG.md');
  assert.match(changelog, /^## \[Unreleased\]$/m);
  assert.ok(changelog.includes(PRODUCT_VERSION));
});
