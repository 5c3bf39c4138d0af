import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { readPluginPackage } from '../../../src/archive/plugin-package.ts';
import { packArchive } from '../../support/archives.ts';

const PLUGIN_FILE = 'name: dt\nversion: 1.2.3\n';

async function read(bytes: Uint8Array): Promise<unknown> {
  return readPluginPackage(Readable.from([bytes], { objectMode: false }), 'p.tgz');
}

test('plugin.yaml is found at the root, in a folder, and behind other files', async () => {
  const plugin = { name: 'dt', version: '1.2.3' };
  assert.deepEqual(await read(await packArchive({ 'plugin.yaml': PLUGIN_FILE, dt: 'x' })), plugin);
  assert.deepEqual(
    await read(await packArchive({ 'dt/dt': 'x'.repeat(100_000), 'dt/plugin.yaml': PLUGIN_FILE })),
    plugin,
  );
});

test('what Helm would install wrongly, or not at all, is refused', async () => {
  const refused: readonly Readonly<Record<string, string>>[] = [
    { dt: 'x' },
    { 'dt/plugin.yaml': PLUGIN_FILE, 'dt/test/plugin.yaml': PLUGIN_FILE },
    { 'a/dt/plugin.yaml': PLUGIN_FILE },
    { 'plugin.yaml': `${PLUGIN_FILE}#${'x'.repeat(2 * 1024 * 1024)}` },
  ];
  for (const files of refused) {
    await assert.rejects(read(await packArchive(files)), { code: 'DT_PLUGIN_INVALID' }, Object.keys(files).join(' '));
  }
  await assert.rejects(read(Buffer.from('no archive')), { code: 'DT_PLUGIN_INVALID' });
  const whole = await packArchive({ 'plugin.yaml': PLUGIN_FILE, dt: 'x'.repeat(10_000) });
  await assert.rejects(read(whole.subarray(0, -20)), { code: 'DT_PLUGIN_INVALID' });
  await assert.rejects(read(await packArchive({ '../plugin.yaml': PLUGIN_FILE })), { code: 'DT_UNSAFE_ENTRY' });
});

test('a link is refused: Helm 4 unpacks none', async () => {
  const archive = pack();
  archive.entry({ name: 'plugin.yaml' }, PLUGIN_FILE);
  archive.entry({ name: 'dt', type: 'symlink', linkname: '/bin/sh' });
  archive.finalize();
  await assert.rejects(read(gzipSync(await buffer(archive))), { code: 'DT_UNSAFE_ENTRY' });
});
