import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { preparePulledShop, blobIn, type PulledShop } from '../support/pulled-shop.ts';
import { listTags } from '../support/registry-content.ts';

/** A pulled chart, for the empty target unless it is to be pulled again, and the path of one of its blobs below `shop/images`. */
async function prepare(t: TestContext, isForPull = false): Promise<PulledShop & { images: string; blob: string }> {
  const shop = await preparePulledShop(t);
  const image = shop.pushed.get('team/api:1.0');
  const [first] = image?.manifests ?? [];
  assert.ok(image !== undefined && first !== undefined);
  if (!isForPull) await shop.sandbox.runOk(['charts', 'relocate', 'shop', `${shop.target.host}/m`]);
  // The first layout by name is read: the blob has to be in no other.
  await rm(join(shop.sandbox.work, 'shop/images', blobIn(image.digest, first.config)));
  return { ...shop, images: join(shop.sandbox.work, 'shop/images'), blob: blobIn(first.digest, first.config) };
}

const PLACES: Readonly<Record<string, (blob: string) => string>> = {
  'a blob': (blob) => blob,
  'the folder of the blobs of one algorithm': dirname,
  'the folder of all blobs': (blob) => dirname(dirname(blob)),
  'a whole layout': (blob) => dirname(dirname(dirname(blob))),
  'the list of what was pulled': () => 'images.json',
};

for (const [what, placeOf] of Object.entries(PLACES)) {
  test(`${what} that is a link out of the folder is not read, though it leads to the right bytes`, async (t) => {
    const { sandbox, target, images, blob } = await prepare(t);
    const place = join(images, placeOf(blob));
    await rename(place, join(sandbox.work, 'outside'));
    await symlink(join(sandbox.work, 'outside'), place);
    const { code, stderr } = await sandbox.run(['images', 'push', 'shop']);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /Code: DT_UNSAFE_ENTRY/);
    assert.equal((await listTags(target.host)).has('m/team/api:1.0'), false);
  });

  test(`nothing is written through a link in place of ${what}`, async (t) => {
    const { sandbox, images, blob } = await prepare(t, true);
    const place = join(images, placeOf(blob));
    await rm(place, { recursive: true });
    await mkdir(join(sandbox.work, 'outside'));
    await symlink(join(sandbox.work, 'outside'), place);
    const { code, stderr } = await sandbox.run(['images', 'pull', 'shop']);
    assert.deepEqual(await readdir(join(sandbox.work, 'outside')), []);
    // A link in place of a file is replaced, one in place of a folder refused.
    const isFile = placeOf(blob).endsWith('.json') || placeOf(blob) === blob;
    assert.equal(code, isFile ? 0 : 3, stderr);
    assert.equal((await lstat(place)).isFile(), isFile);
  });
}

test('a link within the folder counts', async (t) => {
  const { sandbox, target, images, blob } = await prepare(t);
  await rename(join(images, blob), join(images, 'kept'));
  await symlink(join(images, 'kept'), join(images, blob));
  await sandbox.runOk(['images', 'push', 'shop']);
  assert.ok((await listTags(target.host)).has('m/team/api:1.0'));
});

test('a chart whose images folder leads elsewhere is refused, for pull and push', async (t) => {
  const { sandbox, images } = await prepare(t);
  await rename(images, join(sandbox.work, 'outside'));
  await symlink('../outside', images);
  for (const command of ['pull', 'push']) {
    const { code, stderr } = await sandbox.run(['images', command, 'shop']);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /Code: DT_UNSAFE_ENTRY/);
  }
});

test('a pipe in place of a blob is not waited for', async (t) => {
  const { sandbox, images, blob } = await prepare(t);
  await rm(join(images, blob));
  execFileSync('mkfifo', [join(images, blob)]);
  const { code, stderr } = await sandbox.run(['images', 'push', 'shop'], { timeoutMs: 20_000 });
  assert.equal(code, 3, stderr);
});

test('a list of what was pulled that names foreign tags, or no digests, is refused', async (t) => {
  const { sandbox, target, images } = await prepare(t);
  const digest = `sha256:${'0'.repeat(64)}`;
  const image = { chart: 'shop', name: 'api', image: 'x', root: digest, digests: [digest], isFiltered: false };
  for (const document of [
    '{',
    { formatVersion: 1, images: [{ ...image, root: '../../x', attached: [] }] },
    { formatVersion: 1, images: [{ ...image, attached: [{ subject: digest, digest, tag: 'latest' }] }] },
    { formatVersion: 2, images: [] },
  ]) {
    await writeFile(join(images, 'images.json'), typeof document === 'string' ? document : JSON.stringify(document));
    const { code, stderr } = await sandbox.run(['images', 'push', 'shop']);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /Code: DT_WRAP_(?:INVALID|UNSUPPORTED)/);
  }
  assert.deepEqual([...(await listTags(target.host)).keys()], []);
});
