import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { listTags, readStoredChart } from '../support/registry-content.ts';
import { readFolder } from '../support/relocation-fixtures.ts';
import type { RunCliResult } from '../support/run-cli.ts';
import { prepareWrappedShop } from '../support/wrapped-shop.ts';

const FLAG = '--skip-image-relocation';

test('without relocation the chart is pushed alone and as it came', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const unwrap = async (...flags: readonly string[]): Promise<RunCliResult> =>
    sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--json', FLAG, ...flags]);

  for (const mode of ['rewrite', 'overlay']) {
    const { code, stderr } = await unwrap('--chart-mode', mode);
    assert.equal(code, 2, stderr);
  }
  assert.deepEqual(target.requests, []);

  const { code, stdout, stderr } = await unwrap();
  assert.equal(code, 0, stderr);
  const { images, warnings } = JSON.parse(stdout) as { images: unknown[]; warnings: string[] };
  assert.deepEqual(images, []);
  assert.match(warnings.join('\n'), /--skip-image-relocation pushes no image/);
  assert.deepEqual([...(await listTags(target.host)).keys()], ['m/shop:1.2.3']);
  const { files } = await readStoredChart(target.host, 'm/shop', '1.2.3');
  for (const path of ['Chart.yaml', 'values.yaml', 'templates/pod.yaml']) {
    assert.deepEqual(files.get(path), await readFile(join(sandbox.work, 'shop', path)), path);
  }

  const both = JSON.parse((await unwrap('--skip-pull-images', '--chart-mode', 'keep')).stdout) as object;
  assert.equal('warnings' in both, false);
});

test('charts relocate --skip-relocation changes no file', async (t) => {
  const { sandbox } = await prepareWrappedShop(t);
  const before = readFolder(join(sandbox.work, 'shop'));
  const text = await sandbox.runOk([
    'charts',
    'relocate',
    'shop',
    'registry.internal/mirror',
    '--skip-relocation',
    '--json',
  ]);
  assert.equal((JSON.parse(text) as { written: boolean }).written, false);
  assert.deepEqual(readFolder(join(sandbox.work, 'shop')), before);
});
