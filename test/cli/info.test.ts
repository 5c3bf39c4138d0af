import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readArchiveFiles } from '../support/archives.ts';
import { pushShopImages, SHOP_IMAGES, writeShopChart } from '../support/charts.ts';
import type { PushedImage } from '../support/images.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const WRAP = 'shop-1.2.3.wrap.tgz';

interface Site {
  readonly sandbox: Sandbox;
  readonly host: string;
  readonly pushed: ReadonlyMap<string, PushedImage>;
}

async function openSite(t: TestContext): Promise<Site> {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  const pushed = await pushShopImages(registry.host);
  await writeShopChart(join(sandbox.work, 'shop'), registry.host);
  return { sandbox, host: registry.host, pushed };
}

test('info shows the images of a wrap with platforms and digests, in columns', async (t) => {
  const { sandbox, host, pushed } = await openSite(t);
  await sandbox.runOk(['wrap', 'shop', '--declared-only', '--platforms', 'linux/amd64']);
  await sandbox.runOk(['wrap', 'shop', '--declared-only', '--output-file', 'all.tgz']);
  for (const [file, platforms, note] of [
    [WRAP, '(linux/amd64)', '  some platforms'],
    ['all.tgz', '(linux/amd64, linux/arm64)', ''],
  ] as const) {
    const said = await sandbox.runOk(['info', file]);
    assert.match(said, /Chart: shop\n +Version: 1\.2\.3\n/);
    const references = SHOP_IMAGES.map(({ repository, tag }) => `${repository}:${tag}`);
    const width = Math.max(...references.map((reference) => `${host}/${reference} ${platforms}`.length));
    const images = references.map((reference) => {
      const digest = pushed.get(reference)?.digest.slice(0, 19) ?? '';
      return `          ${`${host}/${reference} ${platforms}`.padEnd(width)}  ${digest}${note}\n`;
    });
    assert.ok(said.endsWith(images.join('')), said);
  }
});

test('info of a locked folder is that of its wrap, but for what only a wrap has', async (t) => {
  const { sandbox } = await openSite(t);
  await sandbox.runOk(['images', 'lock', 'shop', '--declared-only']);
  await sandbox.runOk(['wrap', 'shop', '--declared-only']);
  const detailed = await sandbox.runOk(['info', 'shop', '--detailed']);
  const ofWrap = await sandbox.runOk(['info', WRAP, '--detailed']);
  assert.equal(detailed, ofWrap.replace(/^ +(?:Size|Content): .*\n/gm, ''));
  assert.equal(detailed.match(/Digest: sha256:/g)?.length, 6);
});

test('--yaml prints the lock and nothing else, with --detailed too', async (t) => {
  const { sandbox } = await openSite(t);
  await sandbox.runOk(['images', 'lock', 'shop', '--declared-only']);
  await sandbox.runOk(['wrap', 'shop', '--declared-only']);
  const lock = await readFile(join(sandbox.work, 'shop/Images.lock'), 'utf8');
  assert.equal((await readArchiveFiles(join(sandbox.work, WRAP))).get('chart/Images.lock')?.toString(), lock);
  for (const input of ['shop', WRAP]) {
    const { stdout, stderr } = await sandbox.run(['info', input, '--yaml', '--detailed']);
    assert.deepEqual([stdout, stderr], [lock, '']);
  }
});
