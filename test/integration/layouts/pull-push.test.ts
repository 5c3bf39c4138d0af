import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readArchive, readArchiveFiles } from '../../support/archives.ts';
import { SHOP_IMAGES } from '../../support/charts.ts';
import { useForeignClients } from '../../support/foreign-clients.ts';
import { pushImage } from '../../support/images.ts';
import { blobIn, fetchedBlobs, listFiles, prepareLockedShop, preparePulledShop } from '../../support/pulled-shop.ts';
import { listTags, readStoredManifest } from '../../support/registry-content.ts';
import { startDistribution2, startDistribution3, startEmbeddedRegistry } from '../../support/registries.ts';
import { requireTool, type ToolName } from '../../support/tools.ts';

const TARGETS: readonly (readonly [name: string, start: typeof startDistribution3, tool?: ToolName])[] = [
  ['the embedded registry', startEmbeddedRegistry],
  ['distribution 2', startDistribution2, 'registry2'],
  ['distribution 3', startDistribution3, 'registry3'],
];

for (const [name, start, tool] of TARGETS) {
  test(`pulled images arrive in ${name} with their digests, and are not sent again`, async (t) => {
    if (tool !== undefined && requireTool(t, tool) === undefined) return;
    const { sandbox, source, target, pushed } = await preparePulledShop(t, async () => start());
    const clients = useForeignClients(t, sandbox);
    if (clients === undefined) return;
    await source.close();
    await sandbox.runOk(['charts', 'relocate', 'shop', `${target.host}/m`]);
    await sandbox.runOk(['images', 'push', 'shop']);
    for (const { repository, tag } of SHOP_IMAGES) {
      const place = `${target.host}/m/${repository}:${tag}`;
      assert.equal(await clients.digest(place), pushed.get(`${repository}:${tag}`)?.digest);
      await clients.validate(place);
    }
    const again = JSON.parse(await sandbox.runOk(['images', 'push', 'shop', '--json'])) as {
      summary: { presentImages: number; sentBytes: number };
    };
    assert.deepEqual(
      { presentImages: again.summary.presentImages, sentBytes: again.summary.sentBytes },
      { presentImages: 3, sentBytes: 0 },
    );
    await sandbox.runOk(['images', 'verify', 'shop']);
  });
}

test('each blob is fetched once, lies on disk once, and is not fetched again while it is right', async (t) => {
  const { sandbox, source, pushed } = await prepareLockedShop(t);
  const pull = async (): Promise<string[]> => {
    const before = source.requests.length;
    await sandbox.runOk(['images', 'pull', 'shop']);
    return fetchedBlobs(source, before);
  };
  const blobs = [...new Set([...pushed.values()].flatMap((image) => image.blobs))];
  assert.deepEqual((await pull()).toSorted(), blobs.toSorted());
  const images = join(sandbox.work, 'shop/images');
  const inodes = new Set<number>();
  for (const file of await listFiles(images)) {
    const digest = /blobs\/(sha256)\/(.*)$/.exec(file)?.slice(1).join(':');
    if (blobs.some((blob) => blob === digest)) inodes.add((await stat(join(images, file))).ino);
  }
  assert.equal(inodes.size, blobs.length);
  assert.deepEqual(await pull(), []);

  const [first, second] = pushed.get('team/api:1.0')?.manifests ?? [];
  assert.ok(first !== undefined && second !== undefined);
  const cut = join(images, blobIn(first.digest, first.config));
  const changed = join(images, blobIn(second.digest, second.config));
  await truncate(cut, 3);
  const bytes = await readFile(changed);
  bytes[5] = (bytes[5] ?? 0) ^ 1;
  await writeFile(changed, bytes);
  assert.deepEqual((await pull()).toSorted(), [first.config, second.config].toSorted());
  assert.deepEqual(await pull(), []);
  assert.equal((await readFile(cut)).length > 3, true);
});

test('the layouts of a chart are no part of it', async (t) => {
  const { sandbox } = await preparePulledShop(t);
  const images = join(sandbox.work, 'shop/images');
  await writeFile(join(images, 'logo.png'), 'a picture of the chart');
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'with.tgz'], { env: { SOURCE_DATE_EPOCH: '1' } });
  for (const name of await readdir(images)) {
    if (name !== 'logo.png') await rm(join(images, name), { recursive: true });
  }
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'without.tgz'], { env: { SOURCE_DATE_EPOCH: '1' } });
  const [withLayouts, without] = await Promise.all(
    ['with.tgz', 'without.tgz'].map(async (name) => readFile(join(sandbox.work, name))),
  );
  assert.ok(withLayouts?.equals(without ?? Buffer.alloc(0)));
  assert.ok((await readArchiveFiles(join(sandbox.work, 'with.tgz'))).has('chart/images/logo.png'));
  await rm(images, { recursive: true });
  await sandbox.runOk(['images', 'pull', 'shop']);
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'only.tgz']);
  const names = (await readArchive(join(sandbox.work, 'only.tgz'))).map(({ name }) => name);
  assert.equal(
    names.some((name) => name.includes('/chart/images')),
    false,
  );
});

test('an archive of chart and images has all that push needs, unpacked by tar', async (t) => {
  const { sandbox, source, target, pushed } = await prepareLockedShop(t);
  const printed = await sandbox.runOk([
    ...['images', 'pull', 'shop', '--images-dir', 'elsewhere/deep', '--output-file', 'out/o.tgz', '--json'],
  ]);
  const { file, imagesFolder, sizeBytes } = JSON.parse(printed) as Record<string, unknown>;
  assert.deepEqual({ file, imagesFolder }, { file: 'out/o.tgz', imagesFolder: 'elsewhere/deep' });
  assert.equal(sizeBytes, (await stat(join(sandbox.work, 'out/o.tgz'))).size);
  await source.close();
  await sandbox.runOk(['-xzf', 'out/o.tgz'], { command: 'tar' });
  const layouts = await listFiles(join(sandbox.work, 'elsewhere/deep'));
  assert.deepEqual(await listFiles(join(sandbox.work, 'shop-1.2.3/images')), layouts);
  for (const path of layouts) {
    const [packed, pulled] = await Promise.all(
      ['shop-1.2.3/images', 'elsewhere/deep'].map(async (folder) => readFile(join(sandbox.work, folder, path))),
    );
    assert.ok(packed?.equals(pulled ?? Buffer.alloc(0)), path);
  }
  await sandbox.runOk(['charts', 'relocate', 'shop-1.2.3', `${target.host}/m`]);
  await sandbox.runOk(['images', 'push', 'shop-1.2.3']);
  assert.equal((await listTags(target.host)).get('m/team/api:1.0'), pushed.get('team/api:1.0')?.digest);
});

test('an image whose tag has moved on is pulled by the digests of its platforms', async (t) => {
  const { sandbox, source, target, pushed } = await prepareLockedShop(t);
  await pushImage(source.host, 'team/api:1.0', { seed: 'moved' });
  const { stderr, code } = await sandbox.run(['images', 'pull', 'shop']);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /team\/api:1\.0 is not what the lock says any more/);
  assert.equal((await sandbox.run(['images', 'verify', 'shop'])).code, 3);
  await sandbox.runOk(['charts', 'relocate', 'shop', `${target.host}/m`]);
  await sandbox.runOk(['images', 'push', 'shop']);
  const stored = await readStoredManifest(target.host, 'm/team/api', '1.0');
  assert.deepEqual(
    stored?.manifest.manifests?.map(({ digest }) => digest),
    pushed.get('team/api:1.0')?.manifests.map(({ digest }) => digest),
  );
  await sandbox.runOk(['images', 'verify', 'shop']);
});

test('layouts without a list of what they are give an index of the platforms, as those of the Go tool', async (t) => {
  const { sandbox, target, pushed } = await preparePulledShop(t);
  await rm(join(sandbox.work, 'shop/images/images.json'));
  await sandbox.runOk(['charts', 'relocate', 'shop', `${target.host}/m`]);
  await sandbox.runOk(['images', 'push', 'shop']);
  const stored = await readStoredManifest(target.host, 'm/team/api', '1.0');
  assert.equal(stored?.mediaType, 'application/vnd.docker.distribution.manifest.list.v2+json');
  assert.deepEqual(
    stored.manifest.manifests?.map(({ digest }) => digest),
    pushed.get('team/api:1.0')?.manifests.map(({ digest }) => digest),
  );
});

test('a single image is not taken for the index that has it among its platforms', async (t) => {
  const { sandbox, source, target } = await prepareLockedShop(t);
  const index = await pushImage(source.host, 'team/multi:1');
  const [first] = index.manifests;
  assert.ok(first !== undefined);
  const single = await readStoredManifest(source.host, 'team/multi', first.digest);
  assert.ok(single !== undefined);
  await fetch(`http://${source.host}/v2/team/multi/manifests/1-amd64`, {
    method: 'PUT',
    headers: { 'content-type': single.mediaType },
    body: single.bytes,
  });
  await cp(join(sandbox.work, 'shop'), join(sandbox.work, 'c'), { recursive: true });
  const list = ['multi:1', 'multi:1-amd64'].map((name) => `    - {name: m, image: "${source.host}/team/${name}"}\n`);
  await writeFile(
    join(sandbox.work, 'c/Chart.yaml'),
    `apiVersion: v2\nname: c\nversion: 1.0.0\nannotations:\n  images: |\n${list.join('')}`,
  );
  await sandbox.runOk(['images', 'lock', 'c', '--declared-only']);
  await sandbox.runOk(['images', 'pull', 'c']);
  await sandbox.runOk(['charts', 'relocate', 'c', `${target.host}/m`]);
  await sandbox.runOk(['images', 'push', 'c']);
  assert.deepEqual(Object.fromEntries(await listTags(target.host)), {
    'm/team/multi:1': index.digest,
    'm/team/multi:1-amd64': first.digest,
  });
});

test('a packaged chart has its lock inside, and its images beside', async (t) => {
  const { sandbox, target, pushed } = await prepareLockedShop(t);
  await mkdir(join(sandbox.work, 'packed'));
  await sandbox.runOk(['-czf', 'packed/shop.tgz', 'shop'], { command: 'tar' });
  await rm(join(sandbox.work, 'shop'), { recursive: true });
  await sandbox.runOk(['images', 'verify', 'packed/shop.tgz']);
  await sandbox.runOk(['images', 'pull', 'packed/shop.tgz']);
  assert.deepEqual((await readdir(join(sandbox.work, 'packed'))).sort(), ['images', 'shop.tgz']);
  await sandbox.runOk(['charts', 'relocate', 'packed/shop.tgz', `${target.host}/m`]);
  await sandbox.runOk(['images', 'push', 'packed/shop.tgz']);
  assert.equal((await listTags(target.host)).get('m/team/api:1.0'), pushed.get('team/api:1.0')?.digest);
});
