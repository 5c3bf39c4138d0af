import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushHostileBundle } from '../support/bundles.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { createSandbox } from '../support/sandbox.ts';

for (const name of ['../out', '/tmp/out', 'a/../../out', 'a\\..\\out', 'c:/out', 'a\u001b[2J']) {
  test(`a bundle with the path ${JSON.stringify(name)} is refused, and nothing of it stays`, async (t) => {
    const sandbox = await createSandbox(t);
    const registry = await startEmbeddedRegistry();
    t.after(async () => registry.close());
    await pushHostileBundle(registry.host, 'evil', [{ name, content: 'pwned' }]);
    const { code, stderr } = await sandbox.run(['bundle', 'pull', '-b', `${registry.host}/evil:1`, '-o', 'pulled']);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /DT_UNSAFE_ENTRY/);
    assert.ok(!stderr.includes('\u001b[2J'));
    assert.deepEqual(await readdir(sandbox.work), []);
    assert.ok(!existsSync(join(sandbox.work, '../out')));
  });
}

test('links and devices of a bundle are not made, and nothing is written through them', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  await pushHostileBundle(registry.host, 'evil', [
    { name: 'escape', type: 'symlink', linkname: sandbox.home },
    { name: 'escape/planted', content: 'inside' },
    { name: 'hard', type: 'link', linkname: '/etc/passwd' },
    { name: 'pipe', type: 'fifo' },
    { name: 'empty', type: 'directory' },
  ]);
  await sandbox.runOk(['bundle', 'pull', '-b', `${registry.host}/evil:1`, '-o', 'pulled']);
  assert.deepEqual((await readdir(join(sandbox.work, 'pulled'))).sort(), ['.imgpkg', 'escape']);
  assert.equal(await readFile(join(sandbox.work, 'pulled/escape/planted'), 'utf8'), 'inside');
  assert.ok(!existsSync(join(sandbox.home, 'planted')));
});
