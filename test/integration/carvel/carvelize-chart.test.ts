import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseYaml } from '../../../src/domain/yaml/parse-yaml.ts';
import { readArchiveFiles } from '../../support/archives.ts';
import { listCarvelDigests, readCarvelLock } from '../../support/carvel-lock.ts';
import { pushImage } from '../../support/images.ts';
import { readStoredChart, readStoredManifest } from '../../support/registry-content.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../../support/registries.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';

const LOCK = '.imgpkg/images.yml';
const METADATA = '.imgpkg/bundle.yml';
const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/s390x'];

interface Site {
  readonly sandbox: Sandbox;
  readonly source: EmbeddedRegistry;
  /** The images as the chart names them, with what these names point to: several platforms, one that is not amd64, a digest. */
  readonly digests: Readonly<Record<string, string>>;
}

async function openSite(t: TestContext): Promise<Site> {
  const sandbox = await createSandbox(t);
  const source = await startEmbeddedRegistry();
  t.after(async () => source.close());
  const { host } = source;
  const app = await pushImage(host, 'team/app:latest', { seed: 'app', platforms: PLATFORMS });
  const arm = await pushImage(host, 'team/arm:1', { seed: 'arm', platforms: ['linux/arm/v7'] });
  const pinned = await pushImage(host, 'team/pinned:1', { seed: 'pinned', platforms: PLATFORMS });
  const digests = {
    [`${host}/team/app`]: app.digest,
    [`${host}/team/arm:1`]: arm.digest,
    [`${host}/team/pinned@${pinned.digest}`]: pinned.digest,
  };
  const images = Object.keys(digests).map((image, index) => `    - {name: i${String(index)}, image: "${image}"}\n`);
  await writeFiles(join(sandbox.work, 'shop'), {
    'Chart.yaml': `apiVersion: v2\nname: shop\nversion: 1.0.0\nannotations:\n  images: |\n${images.join('')}`,
    'values.yaml': '{}\n',
  });
  return { sandbox, source, digests };
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function listChart({ sandbox }: Site): Promise<readonly string[]> {
  return (await readdir(join(sandbox.work, 'shop'), { recursive: true })).sort();
}

async function readShop({ sandbox }: Site, path: string): Promise<Buffer> {
  return readFile(join(sandbox.work, 'shop', path));
}

describe('charts carvelize', () => {
  it('writes lock and bundle, and the second time nothing', async (t) => {
    const site = await openSite(t);
    const { sandbox, digests } = site;
    assert.match(
      await sandbox.runOk(['charts', 'carvelize', 'shop', '--yaml', '--detailed']),
      /shop 1\.0\.0 .*3 images/,
    );
    assert.deepEqual(await listChart(site), ['.imgpkg', METADATA, LOCK, 'Chart.yaml', 'Images.lock', 'values.yaml']);
    assert.deepEqual(listCarvelDigests(await readShop(site, LOCK)), digests);
    assert.deepEqual(parseYaml((await readShop(site, METADATA)).toString(), METADATA), {
      apiVersion: 'imgpkg.carvel.dev/v1alpha1',
      kind: 'Bundle',
      metadata: { name: 'shop' },
    });
    const modes = [LOCK, METADATA, 'Images.lock'].map(
      async (path) => (await stat(join(sandbox.work, 'shop', path))).mode,
    );
    assert.deepEqual(
      (await Promise.all(modes)).map((mode) => mode & 0o777),
      [0o600, 0o644, 0o644],
    );
    const again = JSON.parse(await sandbox.runOk(['charts', 'carvelize', 'shop', '--json'])) as { files: string[] };
    assert.deepEqual(again.files, []);
    assert.deepEqual(await sandbox.listTemporary(), []);
  });

  it('replaces what is out of date, and leaves the lock that it verified as it is', async (t) => {
    const site = await openSite(t);
    const { sandbox, source } = site;
    await sandbox.runOk(['charts', 'carvelize', 'shop']);
    const app = await pushImage(source.host, 'team/app:latest', { seed: 'newer' });
    const stale = await sandbox.run(['charts', 'carvelize', 'shop']);
    assert.equal(stale.code, 3);
    assert.match(stale.stderr, /DT_LOCK_MISMATCH/);
    await sandbox.runOk(['images', 'lock', 'shop']);
    const lock = await readShop(site, 'Images.lock');
    const { files } = JSON.parse(await sandbox.runOk(['charts', 'carvelize', 'shop', '--json'])) as { files: string[] };
    assert.deepEqual(files, [join('shop', LOCK)]);
    assert.equal(listCarvelDigests(await readShop(site, LOCK))[`${source.host}/team/app`], app.digest);
    assert.ok(lock.equals(await readShop(site, 'Images.lock')));
  });

  it('writes nothing when an image is missing, or one of the files cannot be written', async (t) => {
    const site = await openSite(t);
    const { sandbox } = site;
    const before = await listChart(site);
    const chart = (await readShop(site, 'Chart.yaml')).toString();
    await writeFiles(join(sandbox.work, 'shop'), { 'Chart.yaml': chart.replace('/arm:1', '/arm:2') });
    assert.equal((await sandbox.run(['charts', 'carvelize', 'shop'])).code, 5);
    assert.deepEqual(await listChart(site), before);
    await writeFiles(join(sandbox.work, 'shop'), { 'Chart.yaml': chart, '.imgpkg': 'a file' });
    const { code, stderr } = await sandbox.run(['charts', 'carvelize', 'shop']);
    assert.equal(code, 1);
    assert.match(stderr, /DT_OUTPUT_FAILED/);
    assert.deepEqual(await listChart(site), ['.imgpkg', ...before]);
  });

  it('refuses a packaged chart, and says what to do', async (t) => {
    const { sandbox } = await openSite(t);
    await writeFile(join(sandbox.work, 'shop 1.tgz'), '');
    const { code, stderr } = await sandbox.run(['charts', 'carvelize', 'shop 1.tgz']);
    assert.equal(code, 2);
    assert.match(stderr, /tar -xzf 'shop 1\.tgz'/);
    const missing = await sandbox.run(['charts', 'carvelize', 'nowhere']);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /DT_FILE_NOT_FOUND/);
  });
});

/** Everything that the bundle in the target names is there, under names of the target only. */
async function checkPushed(target: EmbeddedRegistry, ids: readonly string[]): Promise<readonly string[]> {
  const { files } = await readStoredChart(target.host, 'm/shop', '1.0.0');
  const images = readCarvelLock(files.get(LOCK) ?? '');
  assert.deepEqual(
    images.map(({ annotations }) => annotations['kbld.carvel.dev/id']),
    ids,
  );
  for (const { reference, image } of images) {
    assert.equal(reference.registry, target.host, image);
    assert.ok(reference.repository.startsWith('m/team/'), image);
    assert.ok(
      (await readStoredManifest(target.host, reference.repository, reference.digest ?? '')) !== undefined,
      image,
    );
  }
  return images.map(({ reference }) => reference.digest ?? '');
}

describe('wrap --add-carvel-bundle', () => {
  it('puts the bundle into the wrap, not into the folder; unwrap relocates it', async (t) => {
    const site = await openSite(t);
    const { sandbox, digests } = site;
    const target = await startEmbeddedRegistry();
    t.after(async () => target.close());
    await sandbox.runOk(['wrap', 'shop', '--add-carvel-bundle', '--output-file', 'w.tgz']);
    assert.deepEqual(await listChart(site), ['Chart.yaml', 'values.yaml']);
    const wrapped = await readArchiveFiles(join(sandbox.work, 'w.tgz'));
    assert.deepEqual(listCarvelDigests(wrapped.get(`chart/${LOCK}`) ?? ''), digests);
    assert.ok(wrapped.has(`chart/${METADATA}`));
    await sandbox.runOk(['verify', 'w.tgz']);
    await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
    assert.deepEqual(await checkPushed(target, Object.keys(digests)), Object.values(digests));
  });

  for (const platforms of ['linux/amd64,linux/arm/v7', 'linux/amd64,linux/s390x,linux/arm/v7']) {
    for (const isSparse of [false, true]) {
      it(`names what the target has of ${platforms}, which takes ${isSparse ? '' : 'no '}sparse indexes`, async (t) => {
        const site = await openSite(t);
        const { sandbox, digests } = site;
        const target = await startEmbeddedRegistry({ sparseIndexes: isSparse });
        t.after(async () => target.close());
        await sandbox.runOk([
          'wrap',
          'shop',
          '--add-carvel-bundle',
          '--platforms',
          platforms,
          '--output-file',
          'w.tgz',
        ]);
        await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
        await checkPushed(target, Object.keys(digests));
      });
    }
  }

  it('makes a wrap of a packaged chart, or without images, that verifies', async (t) => {
    const { sandbox, digests } = await openSite(t);
    await sandbox.runOk(['-czf', 'shop.tgz', 'shop'], { command: 'tar' });
    for (const flags of [[], ['--skip-pull-images']]) {
      await sandbox.runOk(['wrap', 'shop.tgz', '--add-carvel-bundle', '--output-file', 'w.tgz', ...flags]);
      await sandbox.runOk(['verify', 'w.tgz']);
      const wrapped = await readArchiveFiles(join(sandbox.work, 'w.tgz'));
      assert.deepEqual(listCarvelDigests(wrapped.get(`chart/${LOCK}`) ?? ''), digests);
    }
  });
});
