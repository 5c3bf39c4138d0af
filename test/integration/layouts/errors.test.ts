import assert from 'node:assert/strict';
import { mkdir, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestHex } from '../../../src/domain/oci/digest.ts';
import { blobIn, preparePulledShop, prepareLockedShop } from '../../support/pulled-shop.ts';
import { listTags, readStoredManifest } from '../../support/registry-content.ts';
import { pushImage } from '../../support/images.ts';

test('of images with a damaged or missing blob nothing is pushed that depends on it; the others arrive', async (t) => {
  const { sandbox, target, targetRequests, pushed } = await preparePulledShop(t);
  const [first, second] = pushed.get('team/api:1.0')?.manifests ?? [];
  const own = first?.layers.find((layer) => second?.layers.includes(layer) === false);
  assert.ok(first !== undefined && own !== undefined);
  await sandbox.runOk(['charts', 'relocate', 'shop', `${target.host}/m`]);
  const path = join(sandbox.work, 'shop/images', blobIn(first.digest, own));
  assert.ok((await readdir(join(path, '..'))).includes(digestHex(own)));
  await writeFile(path, Buffer.alloc((await stat(path)).size, 'x'));
  const damaged = await sandbox.run(['images', 'push', 'shop']);
  assert.equal(damaged.code, 3, damaged.stderr);
  assert.match(damaged.stderr, /Code: DT_DIGEST_MISMATCH/);
  assert.match(damaged.stderr, new RegExp(own));
  assert.deepEqual([...(await listTags(target.host)).keys()].sort(), ['m/library/cache:7', 'm/team/worker:2.1-debian']);
  assert.equal(await readStoredManifest(target.host, 'm/team/api', first.digest), undefined);

  // A cut file, and one that is in no layout at all, show before anything is sent.
  await truncate(path, 10);
  const before = targetRequests.length;
  const cut = await sandbox.run(['images', 'push', 'shop']);
  assert.equal(cut.code, 3);
  assert.match(cut.stderr, /Code: DT_SIZE_MISMATCH/);
  for (const root of [first.digest, pushed.get('team/api:1.0')?.digest ?? first.digest]) {
    await rm(join(sandbox.work, 'shop/images', blobIn(root, own)));
  }
  const missing = await sandbox.run(['images', 'push', 'shop']);
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /Code: DT_WRAP_INCOMPLETE/);
  assert.match(missing.stderr, /images pull/);
  assert.equal(targetRequests.length, before);
});

test('each thing that is missing or wrong has its code, and nothing is written for it', async (t) => {
  const { sandbox, source } = await prepareLockedShop(t);
  await mkdir(join(sandbox.work, 'unlocked'));
  await writeFile(join(sandbox.work, 'unlocked/Chart.yaml'), 'apiVersion: v2\nname: u\nversion: 1.0.0\n');
  await writeFile(join(sandbox.work, 'bad.lock'), 'images: {');
  await writeFile(join(sandbox.work, 'plain'), 'a file');
  const cases: readonly (readonly [args: readonly string[], exit: number, code: string])[] = [
    [['verify', 'unlocked'], 1, 'DT_FILE_NOT_FOUND'],
    [['pull', 'unlocked'], 1, 'DT_FILE_NOT_FOUND'],
    [['push', 'unlocked'], 1, 'DT_FILE_NOT_FOUND'],
    [['push', 'shop'], 1, 'DT_FILE_NOT_FOUND'],
    [['verify', 'absent'], 1, 'DT_FILE_NOT_FOUND'],
    [['pull', 'absent'], 1, 'DT_FILE_NOT_FOUND'],
    [['verify', 'shop', '--imagelock-file', 'absent.lock'], 1, 'DT_FILE_NOT_FOUND'],
    [['verify', 'shop', '--imagelock-file', 'bad.lock'], 3, 'DT_LOCK_INVALID'],
    [['pull', `oci://${source.host}/charts/shop`], 2, 'DT_USAGE'],
    [['pull', 'shop', '--images-dir', 'plain/x'], 1, 'DT_OUTPUT_FAILED'],
    [['pull', 'shop', '--output-file', 'unlocked'], 1, 'DT_OUTPUT_FAILED'],
    [['pull', 'shop', '--output-file', ''], 2, 'DT_USAGE'],
  ];
  for (const [args, exit, code] of cases) {
    const { stderr, code: got } = await sandbox.run(['images', ...args]);
    assert.equal(got, exit, `${args.join(' ')}\n${stderr}`);
    assert.match(stderr, new RegExp(`Code: ${code}\n`), args.join(' '));
  }
  assert.match((await sandbox.run(['images', 'pull', 'unlocked'])).stderr, /images lock unlocked/);
  assert.deepEqual((await readdir(sandbox.work)).sort(), ['bad.lock', 'plain', 'shop', 'unlocked']);
  assert.deepEqual(await readdir(join(sandbox.work, 'unlocked')), ['Chart.yaml']);
  assert.equal((await readdir(join(sandbox.work, 'shop'))).includes('images'), false);
});

test('one error of verify names every image that differs', async (t) => {
  const { sandbox, source } = await prepareLockedShop(t);
  await pushImage(source.host, 'team/api:1.0', { seed: 'other' });
  await pushImage(source.host, 'library/cache:7', { seed: 'another', platforms: ['linux/amd64'] });
  const { code, stderr } = await sandbox.run(['images', 'verify', 'shop']);
  assert.equal(code, 3);
  assert.match(stderr, /Code: DT_LOCK_MISMATCH/);
  for (const text of ['team/api:1.0', 'library/cache:7', 'has no linux/arm64'])
    assert.ok(stderr.includes(text), stderr);
  assert.equal(stderr.includes('team/worker'), false);
});
