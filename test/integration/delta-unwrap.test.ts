import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareDelta, proxyOf, refuseMounts, statusOfBlob, unwrap, unwrapArguments } from '../support/delta-site.ts';
import { listTags } from '../support/registry-content.ts';

interface ErrorDocument {
  readonly error: {
    readonly code: string;
    readonly hints: readonly string[];
    readonly failures: readonly { readonly image: string; readonly message: string }[];
  };
}

test('a target without the base gets nothing, and what is missing is named', async (t) => {
  const releases = await prepareDelta(t);
  const { target, sandbox, sharedLayer } = releases;
  const { code, stdout } = await sandbox.run(unwrapArguments('d.tgz', target.host, '--json'));
  assert.equal(code, 3);
  const { error } = JSON.parse(stdout) as ErrorDocument;
  assert.equal(error.code, 'DT_BASE_MISSING');
  assert.ok(error.hints.some((hint) => hint.includes('unwrap v1.wrap.tgz')));
  const web = error.failures.find(({ image }) => image.endsWith('/team/web:1.0'));
  assert.match(web?.message ?? '', new RegExp(`${sharedLayer}.*/mirror/team/web`));
  assert.equal(error.failures.length, 4);
  assert.deepEqual(
    target.requests.filter((request) => !/^(?:GET|HEAD) /.test(request)),
    [],
  );

  const plan = JSON.parse(await sandbox.runOk(['unwrap', 'd.tgz', `${target.host}/mirror`, '--plan', '--json'])) as {
    readonly missing: readonly { readonly digest: string; readonly images: readonly string[] }[];
  };
  assert.equal(plan.missing.length, 5);
  assert.equal(plan.missing.find(({ digest }) => digest === sharedLayer)?.images.length, 4);
  assert.match(await sandbox.runOk(['unwrap', 'd.tgz', `${target.host}/mirror`, '--plan']), /Missing.*base first/);
});

test('one blob that the target has lost is enough', async (t) => {
  const releases = await prepareDelta(t);
  const { target, sandbox, sharedLayer } = releases;
  await unwrap(releases, 'v1.wrap.tgz', target.host);
  const proxy = await proxyOf(t, target.host);
  proxy.refuse = (method, path) =>
    method === 'HEAD' && path.endsWith(`/blobs/${sharedLayer}`) ? { status: 404, body: {} } : undefined;
  const { code, stdout } = await sandbox.run(unwrapArguments('d.tgz', proxy.host, '--json'));
  assert.equal(code, 3);
  const { error } = JSON.parse(stdout) as ErrorDocument;
  assert.equal(error.code, 'DT_BASE_MISSING');
  assert.deepEqual(error.failures.map(({ image }) => image.replace(/^[^/]+\//, '')).sort(), [
    'team/api:1.1',
    'team/web:1.0',
  ]);
  assert.deepEqual(
    proxy.requests.filter((request) => !/^(?:GET|HEAD) /.test(request)),
    [],
  );
});

test('other names than those of the base are looked for, and named', async (t) => {
  const releases = await prepareDelta(t);
  const { target, sandbox } = releases;
  await unwrap(releases, 'v1.wrap.tgz', target.host);
  const { code, stderr } = await sandbox.run([...unwrapArguments('d.tgz', target.host), '--naming', 'flatten']);
  assert.equal(code, 3);
  assert.match(stderr, /\(destination\): 1 blob .* not found in .*\/mirror\/team-api/);
  assert.match(stderr, /same prefix and names/);
});

test('a blob of another repository is mounted', async (t) => {
  const releases = await prepareDelta(t);
  const { target, sharedLayer } = releases;
  await unwrap(releases, 'v1.wrap.tgz', target.host);
  const before = target.requests.length;
  await unwrap(releases, 'd.tgz', target.host);
  const requests = target.requests.slice(before);
  const mounts = requests.filter((request) => /^POST .*[?&]mount=.* 201$/.test(request));
  assert.ok(
    mounts.some(
      (request) => request.includes('/mirror/team/web/') && request.includes(encodeURIComponent(sharedLayer)),
    ),
  );
  assert.deepEqual(
    requests.filter((request) => request.startsWith('GET ') && request.includes('/blobs/')),
    [],
  );
});

test('where mounts are refused it is copied', async (t) => {
  const releases = await prepareDelta(t);
  const { target, sharedLayer } = releases;
  await unwrap(releases, 'v1.wrap.tgz', target.host);
  const proxy = await proxyOf(t, target.host);
  refuseMounts(proxy);
  await unwrap(releases, 'd.tgz', proxy.host);
  assert.equal(await statusOfBlob(target.host, 'mirror/team/web', sharedLayer), 200);
  assert.ok(proxy.requests.some((request) => request.startsWith('GET ') && request.endsWith(`/blobs/${sharedLayer}`)));
});

test('what is copied is verified', async (t) => {
  const releases = await prepareDelta(t);
  const { target, sandbox, sharedLayer } = releases;
  await unwrap(releases, 'v1.wrap.tgz', target.host);
  const proxy = await proxyOf(t, target.host);
  refuseMounts(proxy);
  proxy.damageBlob = (digest) => digest === sharedLayer;
  const { code, stdout } = await sandbox.run(unwrapArguments('d.tgz', proxy.host, '--json'));
  assert.equal(code, 3);
  assert.equal((JSON.parse(stdout) as ErrorDocument).error.code, 'DT_DIGEST_MISMATCH');
  assert.equal(await statusOfBlob(target.host, 'mirror/team/web', sharedLayer), 404);
  assert.equal([...(await listTags(target.host)).keys()].includes('mirror/team/web:1.0'), false);
});

test('a delta comes through a pipe as well', async (t) => {
  const releases = await prepareDelta(t);
  const { sandbox, target, added } = releases;
  const stdin = await readFile(join(sandbox.work, 'd.tgz'));
  const args = ['unwrap', '-', `${target.host}/mirror`, '--yes'];
  const { code, stderr } = await sandbox.run(args, { stdin });
  assert.equal(code, 3, stderr);
  assert.deepEqual(
    target.requests.filter((request) => !/^(?:GET|HEAD) /.test(request)),
    [],
  );
  await unwrap(releases, 'v1.wrap.tgz', target.host);
  await sandbox.runOk(args, { stdin });
  const tags = await listTags(target.host);
  for (const [reference, { digest }] of added) assert.equal(tags.get(`mirror/${reference}`), digest);
});
