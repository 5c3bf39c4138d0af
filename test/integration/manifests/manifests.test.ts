import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readCarvelLock } from '../../support/carvel-lock.ts';
import { pushImage, type PushedImage } from '../../support/images.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../../support/registries.ts';
import { DT_PATH } from '../../support/run-cli.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';

const LOCK = '.imgpkg/images.yml';

interface Site {
  readonly sandbox: Sandbox;
  readonly source: EmbeddedRegistry;
  readonly app: PushedImage;
  readonly db: PushedImage;
  readonly arm: PushedImage;
}

/** A folder with manifests of three images, one of which only looks like one. */
async function openSite(t: TestContext): Promise<Site> {
  const sandbox = await createSandbox(t);
  const source = await startEmbeddedRegistry();
  t.after(async () => source.close());
  const { host } = source;
  const app = await pushImage(host, 'team/app:1', { seed: 'app' });
  const db = await pushImage(host, 'team/db:2', { seed: 'db', platforms: ['linux/amd64'] });
  const arm = await pushImage(host, 'team/arm:3', { seed: 'arm', platforms: ['linux/arm/v6', 'linux/arm/v7'] });
  await writeFiles(sandbox, {
    'config/web.yaml': `# the shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # shown
spec:
  template:
    spec:
      containers:
      - image: "${host}/team/app:1"   # pinned by us
        env:
        - {name: RELATED_IMAGE, value: "${host}/team/arm:3"}
        - {name: LOST_IMAGE, value: "${host}/team/lost:1"}
`,
    'config/sub/db.yml': `kind: Pod\nmetadata: {name: db}\nimage: ${host}/team/db:2\n---\nkind: Pod\nimage: ${host}/team/app:1\n`,
    'config/notes.txt': 'image: none:1\n',
  });
  return { sandbox, source, app, db, arm };
}

async function writeFiles({ work }: Sandbox, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true });
    await writeFile(join(work, path), text);
  }
}

async function readLock({ sandbox }: Site): Promise<Readonly<Record<string, string>>> {
  const images = readCarvelLock(await readFile(join(sandbox.work, LOCK)));
  return Object.fromEntries(images.map(({ image, annotations }) => [annotations['kbld.carvel.dev/id'] ?? '', image]));
}

describe('manifests lock', () => {
  it('locks what kbld finds, asks for each image once, and lists apart what looks like one', async (t) => {
    const site = await openSite(t);
    const { sandbox, source, app, db } = site;
    const before = source.requests.length;
    const { code, stderr } = await sandbox.run(['manifests', 'lock', '-f', 'config', '--imgpkg-lock-output', LOCK]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await readLock(site), {
      [`${source.host}/team/app:1`]: `${source.host}/team/app@${app.digest}`,
      [`${source.host}/team/db:2`]: `${source.host}/team/db@${db.digest}`,
    });
    assert.equal((await stat(join(sandbox.work, LOCK))).mode & 0o777, 0o600);
    const asked = source.requests.slice(before).filter((request) => request.includes('/manifests/'));
    assert.deepEqual(asked.sort(), ['HEAD /v2/team/app/manifests/1 200', 'HEAD /v2/team/db/manifests/2 200']);
    assert.match(stderr, /likely: .*team\/arm:3, Deployment\/web spec\.template.* in config\/web\.yaml/);
    assert.match(stderr, /likely: .*team\/lost:1/);
  });

  it('locks what looks like an image if told to, and a registry has it', async (t) => {
    const site = await openSite(t);
    const { sandbox, source, arm } = site;
    const args = ['manifests', 'lock', '-f', 'config', '--include-likely', '--imgpkg-lock-output', LOCK, '--json'];
    const document = JSON.parse(await sandbox.runOk(args)) as {
      readonly images: readonly { readonly reference: string }[];
      readonly likely: readonly { readonly reference: string; readonly isLocked: boolean }[];
      readonly warnings: readonly string[];
    };
    assert.equal((await readLock(site))[`${source.host}/team/arm:3`], `${source.host}/team/arm@${arm.digest}`);
    assert.deepEqual(
      document.likely.map(({ reference, isLocked }) => [reference.replace(`${source.host}/`, ''), isLocked]),
      [
        ['team/arm:3', true],
        ['team/lost:1', false],
      ],
    );
    assert.equal(document.images.length, 3);
    assert.match(document.warnings.join(), /team\/lost:1 only looks like an image and is left out/);
  });

  it('prints the lock where no file is named', async (t) => {
    const { sandbox, source, db } = await openSite(t);
    const { host } = source;
    assert.equal(
      await sandbox.runOk(['manifests', 'lock', '-f', '-'], { stdin: `image: ${host}/team/db:2\n` }),
      `---
apiVersion: imgpkg.carvel.dev/v1alpha1
images:
- annotations:
    kbld.carvel.dev/id: ${host}/team/db:2
    kbld.carvel.dev/origins: |
      - resolved:
          tag: "2"
          url: ${host}/team/db:2
  image: ${host}/team/db@${db.digest}
kind: ImagesLock
`,
    );
  });
});

describe('manifests resolve', () => {
  for (const [flag, file] of [
    ['--imgpkg-lock-output', LOCK],
    ['--lock-output', 'kbld.lock.yml'],
  ] as const) {
    it(`resolves offline by what ${flag} wrote, and keeps comments`, async (t) => {
      const { sandbox, source, app, db } = await openSite(t);
      const { host } = source;
      const args = ['manifests', 'resolve', '-f', 'config', '--images-annotation=false'];
      const direct = await sandbox.runOk([...args, flag, file]);
      const asked = source.requests.length;
      assert.equal(await sandbox.runOk([...args, '-f', file]), direct);
      assert.equal(source.requests.length, asked, 'a registry was asked');
      const [web, sub] = await Promise.all(
        ['web.yaml', 'sub/db.yml'].map(async (name) => readFile(join(sandbox.work, 'config', name), 'utf8')),
      );
      const wanted = `---\n${String(sub)}---\n${String(web)}`
        .replaceAll(`${host}/team/app:1`, `${host}/team/app@${app.digest}`)
        .replaceAll(`${host}/team/db:2`, `${host}/team/db@${db.digest}`);
      assert.equal(direct, wanted);
    });
  }

  it('gives the same again from its own output', async (t) => {
    const { sandbox } = await openSite(t);
    const once = await sandbox.runOk(['manifests', 'resolve', '-f', 'config']);
    assert.match(once, /kbld\.k14s\.io\/images: \|\n/);
    assert.equal(await sandbox.runOk(['manifests', 'resolve', '-f', '-'], { stdin: once }), once);
  });

  it('takes the manifest of a platform, of an index by digest as well', async (t) => {
    const { sandbox, source, arm, db } = await openSite(t);
    const { host } = source;
    const v7 = arm.manifests.find(({ platform }) => platform === 'linux/arm/v7')?.digest;
    const text = `a: {image: "${host}/team/arm:3"}\nb: {image: "${host}/team/arm@${arm.digest}"}\nimage: ${host}/team/db:2\n`;
    const run = async (platform: string): ReturnType<Sandbox['run']> =>
      sandbox.run(['manifests', 'resolve', '-f', '-', '--images-annotation=false', '--platform', platform], {
        stdin: text,
      });
    const pinned = `${host}/team/arm@${String(v7)}`;
    assert.equal(
      (await run('linux/arm/v7')).stdout,
      `---\na: {image: "${pinned}"}\nb: {image: "${pinned}"}\nimage: ${host}/team/db@${db.digest}\n`,
    );
    const several = await run('linux/arm');
    assert.equal(several.code, 1);
    assert.match(several.stderr, /several manifests for linux\/arm/);
    assert.match((await run('linux/arm/v7:10.0')).stderr, /DT_PLATFORM_NOT_FOUND/);
  });

  it('lists the images without asking anybody', async (t) => {
    const { sandbox, source } = await openSite(t);
    const asked = source.requests.length;
    const { host } = source;
    assert.equal(
      await sandbox.runOk(['manifests', 'resolve', '-f', 'config', '--unresolved-inspect']),
      `- image: ${host}/team/app:1\n- image: ${host}/team/db:2\n`,
    );
    assert.equal(source.requests.length, asked);
  });

  it('reads what a shell makes of the output of another program', async (t) => {
    const { sandbox, source, db } = await openSite(t);
    const image = `${source.host}/team/db:2`;
    const script = '"$0" manifests resolve --images-annotation=false -f <(echo "image: $1")';
    const { stdout, stderr } = await sandbox.run(['-c', script, DT_PATH, image], { command: 'bash' });
    assert.equal(stdout, `---\nimage: ${source.host}/team/db@${db.digest}\n`, stderr);
  });

  it('names every image that no registry has', async (t) => {
    const { sandbox, source } = await openSite(t);
    const { host } = source;
    const stdin = `a: {image: "${host}/lost/a:1"}\nb: {image: "${host}/lost/b:1"}\nc: {image: "BAD/c"}\nimage: ${host}/team/db:2\n`;
    const { code, stdout, stderr } = await sandbox.run(['manifests', 'resolve', '-f', '-'], { stdin });
    assert.equal(code, 5);
    assert.equal(stdout, '');
    for (const image of ['lost/a:1', 'lost/b:1', 'BAD/c']) assert.ok(stderr.includes(image), image);
    assert.match(stderr, /3 of 4 images/);
  });
});
