import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushShopImages, writeShopChart } from '../../support/charts.ts';
import { readCarvelLock } from '../../support/carvel-lock.ts';
import { readStoredManifest } from '../../support/registry-content.ts';
import { startEmbeddedRegistry } from '../../support/registries.ts';
import { createSandbox } from '../../support/sandbox.ts';

test('the tar of a wrap is a bundle with the chart, whose images all arrive', async (t) => {
  const sandbox = await createSandbox(t);
  const [source, target] = await Promise.all([startEmbeddedRegistry(), startEmbeddedRegistry()]);
  t.after(async () => target.close());
  const pushed = await pushShopImages(source.host);
  await writeShopChart(join(sandbox.work, 'shop'), source.host);
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'shop.wrap.tgz']);
  // From here on nobody needs the source.
  await source.close();
  await sandbox.runOk(['bundle', 'from-wrap', 'shop.wrap.tgz', '--to-tar', 'shop.tar']);
  await sandbox.runOk([
    'bundle',
    'copy',
    '--tar',
    'shop.tar',
    '--to-repo',
    `${target.host}/shop`,
    '--lock-output',
    'l.yml',
  ]);
  await sandbox.runOk(['bundle', 'pull', '--lock', 'l.yml', '-o', 'pulled']);
  const lock = readCarvelLock(await readFile(join(sandbox.work, 'pulled/.imgpkg/images.yml')));
  const digests = new Set([...pushed.values()].map(({ digest }) => digest));
  assert.deepEqual(new Set(lock.map(({ reference }) => reference.digest)), digests);
  for (const { reference } of lock) {
    assert.equal(`${reference.registry}/${reference.repository}`, `${target.host}/shop`);
    assert.ok((await readStoredManifest(target.host, reference.repository, reference.digest ?? '')) !== undefined);
  }
  const [chart, original] = await Promise.all(
    ['pulled/Chart.yaml', 'shop/Chart.yaml'].map(async (path) => readFile(join(sandbox.work, path), 'utf8')),
  );
  assert.equal(chart, original);
});
