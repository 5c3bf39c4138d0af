import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { pushAttestedImage } from '../support/attested-images.ts';
import { EMBEDDED, openFidelitySite, unwrapToJson, writeImageChart } from '../support/fidelity-site.ts';
import { assertIdentical } from '../support/foreign-clients.ts';
import { pushBlob } from '../support/images.ts';
import { pushRawImage } from '../support/raw-images.ts';

const ALL = ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7', 'linux/s390x'];

test('a chart that was locked for some platforms is wrapped for those', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source, target, clients } = site;
  const { children } = await pushAttestedImage({ host: source.host, repository: 'team/app' }, '1', ALL);
  await writeImageChart(sandbox, { images: [`${source.host}/team/app:1`] });
  await sandbox.runOk(['images', 'lock', 'kinds', '--platforms', 'linux/amd64,linux/arm/v7']);
  const before = await readFile(join(sandbox.work, 'kinds/Images.lock'), 'utf8');
  await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
  assert.equal(await readFile(join(sandbox.work, 'kinds/Images.lock'), 'utf8'), before);
  await unwrapToJson(site, 'w.tgz');
  const to = `${target.host}/m/team/app`;
  for (const [platform, { image }] of children) {
    const isThere = ['linux/amd64', 'linux/arm/v7'].includes(platform);
    assert.equal(await clients.digest(`${to}@${image}`), isThere ? image : undefined, platform);
  }
});

test('what is for no platform passes every choice, and a single image must be of one of those chosen', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source, target, clients } = site;
  const { host } = source;
  const config = await pushBlob(host, 'team/artifact', Buffer.from('{}'), 'application/vnd.example.config');
  await pushRawImage({ host, repository: 'team/artifact' }, { config, tag: '1' });
  await pushRawImage({ host, repository: 'team/single' }, { platform: 'linux/arm/v7', tag: '1' });
  const images = ['artifact', 'single'].map((name) => `${host}/team/${name}:1`);
  await writeImageChart(sandbox, { images });
  await sandbox.runOk(['wrap', 'kinds', '--platforms', 'linux/arm/v7', '--output-file', 'w.tgz']);
  assert.equal((await unwrapToJson(site, 'w.tgz')).summary.identicalImages, 2);
  for (const name of ['artifact', 'single']) {
    await assertIdentical(clients, `${host}/team/${name}`, `${target.host}/m/team/${name}`, '1');
  }
  const { code, stderr } = await sandbox.run(['wrap', 'kinds', '--platforms', 'linux/amd64', '--output-file', 'w.tgz']);
  assert.notEqual(code, 0);
  assert.match(stderr, /team\/single:1 has none of the platforms linux\/amd64[^]*It has linux\/arm\/v7\./);
});

test('an overlay pins the index that the target has, and a kept chart says that its pin is lost', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source, target } = site;
  const { index } = await pushAttestedImage({ host: source.host, repository: 'team/app' }, '1', ALL);
  const image = `${source.host}/team/app:1@${index.digest}`;
  await writeImageChart(sandbox, { images: [image], files: { 'values.yaml': `app:\n  image: ${image}\n` } });
  await sandbox.runOk(['wrap', 'kinds', '--platforms', 'linux/amd64', '--output-file', 'a folder/w.tgz']);
  const { charts, images } = await unwrapToJson(site, 'a folder/w.tgz', ['--chart-mode', 'overlay']);
  const file = charts[0]?.valuesFile ?? '';
  assert.deepEqual(load(await readFile(join(sandbox.work, file), 'utf8')), {
    app: { image: `${target.host}/m/team/app:1@${images[0]?.digest ?? ''}` },
  });
  // As a shell has it.
  const command = `set -- ${charts[0]?.installCommand ?? ''}; for word; do echo "$word"; done`;
  assert.ok((await sandbox.runOk(['-c', command], { command: 'sh' })).split('\n').includes(file));
  const { warnings = [] } = await unwrapToJson(site, 'a folder/w.tgz', ['--chart-mode', 'keep']);
  assert.ok(
    warnings.some((text) => text.includes(index.digest)),
    warnings.join('\n'),
  );
});
