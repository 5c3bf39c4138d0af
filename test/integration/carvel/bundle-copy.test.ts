import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { readCarvelLock } from '../../support/carvel-lock.ts';
import { bundleLock, writeBundle } from '../../support/bundles.ts';
import { pushImage, type PushedImage } from '../../support/images.ts';
import { listTags, readStoredManifest } from '../../support/registry-content.ts';
import {
  findDistribution2,
  findDistribution3,
  startDistribution2,
  startDistribution3,
  startEmbeddedRegistry,
  type TestRegistry,
} from '../../support/registries.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { attachSignature, createKey } from '../../support/verify-wrap.ts';

const REGISTRIES: Readonly<Record<string, (() => Promise<TestRegistry>) | undefined>> = {
  'the embedded registry': startEmbeddedRegistry,
  'registry 2': findDistribution2() === undefined ? undefined : startDistribution2,
  'registry 3': findDistribution3() === undefined ? undefined : startDistribution3,
};

interface BundleSite {
  readonly sandbox: Sandbox;
  readonly source: string;
  readonly target: string;
  readonly app: PushedImage;
  readonly tool: PushedImage;
  /** A signature that only the list of referrers names. */
  readonly referrer: string;
}

/** `outer:2` names the image `app` and the bundle `inner:1`, which names the signed index `tool`. */
async function prepare(t: TestContext, start: () => Promise<TestRegistry>): Promise<BundleSite> {
  const sandbox = await createSandbox(t);
  const [source, target] = await Promise.all([start(), start()]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  const app = await pushImage(source.host, 'app:1', { platforms: ['linux/amd64'], seed: 'app' });
  const tool = await pushImage(source.host, 'tool:1', { seed: 'tool' });
  const key = await createKey(sandbox.work);
  const signed = { reference: `${source.host}/tool:1`, digest: tool.digest, platforms: [] };
  await attachSignature({ host: source.host }, signed, key.privateKey, { form: 'classic' });
  const referrer = await attachSignature({ host: source.host }, signed, key.privateKey);
  await writeBundle(join(sandbox.work, 'inner'), [`${source.host}/tool@${tool.digest}`]);
  const inner = await push(sandbox, 'inner', `${source.host}/made/inner:1`);
  await writeBundle(join(sandbox.work, 'outer'), [`${source.host}/app@${app.digest}`, inner]);
  await push(sandbox, 'outer', `${source.host}/made/outer:2`);
  return { sandbox, source: source.host, target: target.host, app, tool, referrer };
}

async function push(sandbox: Sandbox, folder: string, reference: string): Promise<string> {
  const text = await sandbox.runOk(['bundle', 'push', '-b', reference, '-f', folder, '--json']);
  return (JSON.parse(text) as { reference: string }).reference;
}

for (const [name, start] of Object.entries(REGISTRIES)) {
  describe(`bundles in ${name}`, { skip: start === undefined }, () => {
    test('a copy has all images, signatures and tags, and its pulled lock names the copies', async (t) => {
      const { sandbox, source, target, app, tool, referrer } = await prepare(t, start as () => Promise<TestRegistry>);
      const args = ['--to-repo', `${target}/all/here`, '--lock-output', 'copied.yml'];
      await sandbox.runOk(['bundle', 'copy', '-b', `${source}/made/outer:2`, ...args]);
      const tags = await listTags(target);
      const own = (tag: string): string | undefined => tags.get(`all/here:${tag}`);
      for (const { digest } of [app, tool]) {
        assert.equal(own(`${digest.replace(':', '-')}.imgpkg`), digest);
        await requireWhole(target, 'all/here', digest);
      }
      assert.ok(own('2') !== undefined);
      assert.ok(own(`${tool.digest.replace(':', '-')}.sig`) !== undefined, 'the signature is there');
      assert.equal([...tags.keys()].filter((tag) => tag.endsWith('.image-locations.imgpkg')).length, 2);
      // The others have no list of referrers, and nobody has kept one.
      if (name === 'the embedded registry') assert.equal(own(`${referrer.replace(':', '-')}.imgpkg`), referrer);
      await sandbox.runOk(['bundle', 'pull', '--lock', 'copied.yml', '-r', '-o', 'pulled']);
      const lock = await readFile(join(sandbox.work, 'pulled/.imgpkg/images.yml'), 'utf8');
      assert.ok(!lock.includes(source));
      const [nested = ''] = await readdir(join(sandbox.work, 'pulled/.imgpkg/bundles'));
      const inner = await readFile(join(sandbox.work, 'pulled/.imgpkg/bundles', nested, '.imgpkg/images.yml'), 'utf8');
      assert.equal(inner, bundleLock([`${target}/all/here@${tool.digest}`]));
      assert.equal(await readFile(join(sandbox.work, 'pulled/config/app.yml'), 'utf8'), 'a: 1\n');
    });

    test('through a tar the copy is the same, and the tar too when it is made again', async (t) => {
      const { sandbox, source, target } = await prepare(t, start as () => Promise<TestRegistry>);
      await sandbox.runOk(['bundle', 'copy', '-b', `${source}/made/outer:2`, '--to-repo', `${target}/direct`]);
      for (const file of ['a.tar', 'b.tar']) {
        await sandbox.runOk(['bundle', 'copy', '-b', `${source}/made/outer:2`, '--to-tar', file]);
      }
      const [first, second] = await Promise.all(
        ['a.tar', 'b.tar'].map(async (file) => readFile(join(sandbox.work, file))),
      );
      assert.ok(second !== undefined && first?.equals(second));
      await sandbox.runOk(['bundle', 'copy', '--tar', 'a.tar', '--to-repo', `${target}/tar`]);
      const tags = [...(await listTags(target))];
      const of = (repository: string): unknown =>
        tags
          .filter(([tag]) => tag.startsWith(`${repository}:`))
          .map(([tag, digest]) => [tag.slice(repository.length), digest])
          .sort();
      assert.deepEqual(of('tar'), of('direct'));
    });
  });
}

test('with --keep-names images keep their repositories, and pull finds them there', async (t) => {
  const { sandbox, source, target, app } = await prepare(t, startEmbeddedRegistry);
  await sandbox.runOk([
    'bundle',
    'copy',
    '-b',
    `${source}/made/outer:2`,
    '--to-repo',
    `${target}/mirror`,
    '--keep-names',
  ]);
  await requireWhole(target, 'mirror/app', app.digest);
  await sandbox.runOk(['bundle', 'pull', '-b', `${target}/mirror/made/outer:2`, '-o', 'pulled']);
  const lock = await readFile(join(sandbox.work, 'pulled/.imgpkg/images.yml'), 'utf8');
  const repositories = [...lock.matchAll(/image: (.*)@/g)].map(([, repository]) => repository);
  assert.deepEqual(repositories, [`${target}/mirror/app`, `${target}/mirror/made/inner`]);
  // A copy of the copy does not need the source.
  await sandbox.runOk(['bundle', 'copy', '-b', `${target}/mirror/made/outer:2`, '--to-repo', `${target}/flat`]);
  await requireWhole(target, 'flat', app.digest);
});

test('an ImagesLock keeps its order and its annotations', async (t) => {
  const { sandbox, source, target, app, tool } = await prepare(t, startEmbeddedRegistry);
  await sandbox.runOk(['bundle', 'tag', 'resolve', '-i', `${source}/app:1`]);
  const images = ['tool', 'app'].map((name) => `${source}/${name}@${(name === 'app' ? app : tool).digest}`);
  await writeBundle(join(sandbox.work, 'b'), images);
  const args = [
    '--lock',
    'b/.imgpkg/images.yml',
    '--to-repo',
    `${target}/x`,
    '--lock-output',
    'new.yml',
    '--no-referrers',
  ];
  await sandbox.runOk(['bundle', 'copy', ...args]);
  const text = await readFile(join(sandbox.work, 'new.yml'), 'utf8');
  assert.equal(text, bundleLock([`${target}/x@${tool.digest}`, `${target}/x@${app.digest}`]));
  assert.throws(() => readCarvelLock(text), 'kbld needs ids, which this lock never had');
  assert.ok(![...(await listTags(target)).keys()].some((tag) => tag.endsWith('.sig')));
});

/** Everything below a digest can be read. */
async function requireWhole(host: string, repository: string, digest: string): Promise<void> {
  const stored = await readStoredManifest(host, repository, digest);
  assert.ok(stored !== undefined, `${repository}@${digest}`);
  for (const child of stored.manifest.manifests ?? []) await requireWhole(host, repository, child.digest);
  for (const layer of stored.manifest.layers ?? []) {
    const { status } = await fetch(`http://${host}/v2/${repository}/blobs/${layer.digest}`, { method: 'HEAD' });
    assert.equal(status, 200, layer.digest);
  }
}
