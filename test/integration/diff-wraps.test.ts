import assert from 'node:assert/strict';
import { join } from 'node:path';
import { stat } from 'node:fs/promises';
import { test } from 'node:test';
import type { WrapDifference } from '../../src/domain/wrap/compare-wraps.ts';
import { GOLDEN_ROOT } from '../support/golden.ts';
import { prepareShopReleases } from '../support/shop-releases.ts';

interface DiffDocument extends Pick<WrapDifference, 'deltaBytes' | 'wholeBytes'> {
  readonly imageChanges: WrapDifference['images'];
  readonly chartChanges: WrapDifference['charts'];
}

test('two releases are compared, and the delta has the size that was told', async (t) => {
  const { sandbox, source, old, added } = await prepareShopReleases(t);
  await sandbox.runOk(['wrap', 'shop-2', '--output-file', 'v2.wrap.tgz']);
  const difference = JSON.parse(await sandbox.runOk(['diff', 'v1.wrap.tgz', 'v2.wrap.tgz', '--json'])) as DiffDocument;
  const reference = (name: string): string => `${source.host}/${name}`;
  assert.deepEqual(
    difference.imageChanges.added.map((image) => [image.reference, image.digest]),
    [[reference('team/web:1.0'), added.get('team/web:1.0')?.digest]],
  );
  assert.deepEqual(
    difference.imageChanges.changed.map((change) => [change.old.reference, change.new.reference, change.old.digest]),
    [[reference('team/api:1.0'), reference('team/api:1.1'), old.get('team/api:1.0')?.digest]],
  );
  assert.deepEqual(difference.imageChanges.removed, []);
  assert.equal(difference.imageChanges.unchangedCount, 2);
  assert.deepEqual(difference.chartChanges.changed, [
    { old: { name: 'shop', version: '1.2.3' }, new: { name: 'shop', version: '1.3.0' } },
  ]);

  await sandbox.runOk(['wrap', 'shop-2', '--base', 'v1.wrap.tgz', '--output-file', 'd.tgz']);
  const saved = (await stat(join(sandbox.work, 'v2.wrap.tgz'))).size - (await stat(join(sandbox.work, 'd.tgz'))).size;
  const told = difference.wholeBytes - difference.deltaBytes;
  assert.ok(Math.abs(saved - told) < 10_000, `${String(saved)} bytes saved, ${String(told)} told`);
  const toDelta = JSON.parse(await sandbox.runOk(['diff', 'v1.wrap.tgz', 'd.tgz', '--json'])) as DiffDocument;
  assert.deepEqual({ ...toDelta, newFile: 'v2.wrap.tgz' }, difference);

  const text = await sandbox.runOk(['diff', 'v1.wrap.tgz', 'v2.wrap.tgz']);
  assert.match(text, /changed\s+shop 1\.2\.3 → shop 1\.3\.0/);
  assert.match(text, /added\s+\S+\/team\/web:1\.0 \(sha256:[0-9a-f]{12}\)/);
  assert.match(text, /changed\s+\S+\/team\/api:1\.0 \(sha256:[0-9a-f]{12}\) → \S+\/team\/api:1\.1/);
  assert.match(text, /2 images unchanged/);
  assert.match(text, /Delta: 4\d\d\.\d kB \(\d\d %\)/);
});

test('a wrap of the Go tool is compared by its platforms', async (t) => {
  const { sandbox } = await prepareShopReleases(t);
  const foreign = join(GOLDEN_ROOT, 'dt-unwrap/contour/input/contour-19.3.2.wrap.tgz');
  const diff = async (...files: readonly [string, string]): Promise<DiffDocument> =>
    JSON.parse(await sandbox.runOk(['diff', ...files, '--json'])) as DiffDocument;
  const same = await diff(foreign, foreign);
  assert.ok(same.imageChanges.unchangedCount > 0 && same.wholeBytes > 0);
  assert.deepEqual([same.imageChanges.added, same.imageChanges.removed, same.imageChanges.changed], [[], [], []]);
  const other = await diff(foreign, 'v1.wrap.tgz');
  assert.equal(other.imageChanges.removed.length, same.imageChanges.unchangedCount);
  assert.equal(other.imageChanges.added.length, 3);
  assert.equal(other.deltaBytes, other.wholeBytes);
});

test('a light wrap, a folder and what is not there cannot be compared', async (t) => {
  const { sandbox } = await prepareShopReleases(t);
  await sandbox.runOk(['wrap', 'shop-1', '--skip-pull-images', '--output-file', 'light.tgz']);
  await sandbox.runOk(['images', 'lock', 'shop-1']);
  for (const [file, exitCode] of [
    ['light.tgz', 2],
    ['shop-1', 2],
    ['absent.tgz', 1],
  ] as const) {
    assert.equal((await sandbox.run(['diff', 'v1.wrap.tgz', file])).code, exitCode, file);
  }
});
