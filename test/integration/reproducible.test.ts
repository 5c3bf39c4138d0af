import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readArchive } from '../support/archives.ts';
import { pushShopImages, writeShopChart } from '../support/charts.ts';
import { withoutGenerationTime } from '../support/golden.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

test('two wraps with one SOURCE_DATE_EPOCH are the same bytes', async (t) => {
  const sandbox = await prepare(t);
  const env = { SOURCE_DATE_EPOCH: '1700000000' };
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'a.tgz'], { env });
  await sleep(1100);
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'sub/b.tgz'], { env });
  const [first, second] = await Promise.all(
    ['a.tgz', 'sub/b.tgz'].map(async (name) => readFile(join(sandbox.work, name))),
  );
  assert.ok(first?.equals(second ?? Buffer.alloc(0)));
  for (const { name, bytes } of await readArchive(join(sandbox.work, 'a.tgz'))) {
    if (name.endsWith('chart/Images.lock')) assert.match(bytes.toString(), /generatedAt: "?2023-11-14T22:13:20Z/);
  }
});

test('two wraps without it differ at most in generatedAt', async (t) => {
  const sandbox = await prepare(t);
  for (const file of ['a.tgz', 'b.tgz']) await sandbox.runOk(['wrap', 'shop', '--output-file', file]);
  const [first, second] = await Promise.all(['a.tgz', 'b.tgz'].map(async (name) => readEntries(sandbox, name)));
  assert.deepEqual(first, second);
});

/** Entries in their order with all that an archive says of them; the lock without its time, and no offsets. */
async function readEntries(sandbox: Sandbox, file: string): Promise<unknown[]> {
  return (await readArchive(join(sandbox.work, file)))
    .filter(({ name }) => !name.endsWith('/.dt/toc.json'))
    .map(({ name, bytes, ...entry }) => ({
      name,
      ...entry,
      content: name.endsWith('/chart/Images.lock') ? withoutGenerationTime(bytes.toString()) : bytes.toString('base64'),
    }));
}

async function prepare(t: TestContext): Promise<Sandbox> {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  await pushShopImages(registry.host);
  await writeShopChart(join(sandbox.work, 'shop'), registry.host);
  return sandbox;
}
