import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DISTRIBUTION_2,
  DISTRIBUTION_3,
  EMBEDDED,
  openFidelitySite,
  TARGET_KINDS,
  writeImageChart,
} from '../support/fidelity-site.ts';
import { assertIdentical } from '../support/foreign-clients.ts';
import { pushImage } from '../support/images.ts';
import { pushRawImage, sha512Of } from '../support/raw-images.ts';

for (const kind of TARGET_KINDS) {
  test(`tags, digests, several of one image and one of several names are kept in ${kind.name}`, async (t) => {
    const site = await openFidelitySite(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const app = await pushImage(source.host, 'team/app:1');
    for (const tag of ['1.0', 'stable']) await pushImage(source.host, `team/app:${tag}`);
    const other = await pushImage(source.host, 'team/other:2', { seed: 2 });
    const bare = await pushImage(source.host, 'team/bare:3', { seed: 3 });
    await pushImage(source.host, 'team/latest:latest', { seed: 4 });
    const [child] = bare.manifests;
    assert.ok(child !== undefined);
    const image = (rest: string): string => `${source.host}/team/${rest}`;
    const images = [
      ...['app:1', 'app:1.0', 'app:stable', `app:1@${app.digest}`, `app@${app.digest}`],
      `other:2@${other.digest}`,
      ...[`bare@${bare.digest}`, `bare@${child.digest}`],
      ...['latest', 'latest:latest', 'app:1'],
    ].map(image);
    await writeImageChart(sandbox, { images });
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
    const said = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
    assert.equal(said.code, 0, said.stderr);
    // The last but one and the last are there already under the same name: nine places.
    assert.match(said.stderr, /9 images, 9 digests identical/);
    const to = (name: string): string => `${target.host}/m/team/${name}`;
    for (const tag of ['1', '1.0', 'stable']) await assertIdentical(clients, image('app'), to('app'), tag);
    await assertIdentical(clients, image('other'), to('other'), '2');
    for (const digest of [bare.digest, child.digest]) await assertIdentical(clients, image('bare'), to('bare'), digest);
    await assertIdentical(clients, image('latest'), to('latest'), 'latest');
    assert.deepEqual(await clients.tags(to('app')), ['1', '1.0', 'stable']);
    assert.deepEqual(await clients.tags(to('bare')).catch(() => []), []);
  });

  test(`two repositories with the same image keep it in both in ${kind.name}`, async (t) => {
    const site = await openFidelitySite(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    for (const name of ['one', 'two']) await pushImage(source.host, `team/${name}:1`, { layerBytes: 100_000 });
    const images = ['one', 'two'].map((name) => `${source.host}/team/${name}:1`);
    await writeImageChart(sandbox, { images });
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
    await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
    for (const name of ['one', 'two']) {
      await assertIdentical(clients, `${source.host}/team/${name}`, `${target.host}/m/team/${name}`, '1');
      await clients.validate(`${target.host}/m/team/${name}:1`);
    }
  });
}

test('a tag and an older digest of it cannot both have the tag', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source, target, clients } = site;
  const old = await pushImage(source.host, 'team/app:1');
  await pushImage(source.host, 'team/app:1', { seed: 2 });
  const images = [`${source.host}/team/app:1`, `${source.host}/team/app:1@${old.digest}`];
  await writeImageChart(sandbox, { images });
  await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
  const { code, stderr } = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
  assert.equal(code, 1);
  assert.match(stderr, /would both become .*\/m\/team\/app:1/);
  assert.equal(await clients.digest(`${target.host}/m/team/app:1`), undefined);
});

test('a manifest by its sha512 digest is kept where the registry takes one', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source, target, clients } = site;
  const { bytes, digest } = await pushSha512Manifest(source.host);
  for (const [prefix, name] of [
    ['digest', `app@${digest}`],
    ['both', `app:1@${digest}`],
  ] as const) {
    await writeImageChart(sandbox, { images: [`${source.host}/team/${name}`] });
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
    const said = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/${prefix}`, '--yes']);
    assert.match(said.stderr, /1 image, 1 digest identical/);
    assert.deepEqual(await clients.manifest(`${target.host}/${prefix}/team/app@${digest}`), bytes);
  }
  assert.deepEqual(await clients.manifest(`${target.host}/both/team/app:1`), bytes);
});

for (const kind of [DISTRIBUTION_2, DISTRIBUTION_3]) {
  // Distribution gives every manifest its sha256 digest, whatever digest it is pushed with.
  test(`${kind.name} refuses a manifest by its sha512 digest, and says so`, async (t) => {
    const site = await openFidelitySite(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target } = site;
    const { digest } = await pushSha512Manifest(source.host);
    await writeImageChart(sandbox, { images: [`${source.host}/team/app@${digest}`] });
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
    const { code, stderr } = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /DIGEST_INVALID/);
    assert.match(stderr, /chart was not pushed/);
  });
}

/** One image in `team/app`, with its manifest under its sha512 digest. */
async function pushSha512Manifest(host: string): Promise<{ bytes: Buffer; digest: string }> {
  const place = { host, repository: 'team/app' };
  const { digest: canonical, mediaType } = await pushRawImage(place);
  const url = `http://${host}/v2/team/app/manifests`;
  const bytes = Buffer.from(await (await fetch(`${url}/${canonical}`)).arrayBuffer());
  const digest = sha512Of(bytes);
  const body = new Uint8Array(bytes);
  const answer = await fetch(`${url}/${digest}`, { method: 'PUT', body, headers: { 'content-type': mediaType } });
  assert.equal(answer.status, 201);
  return { bytes, digest };
}
