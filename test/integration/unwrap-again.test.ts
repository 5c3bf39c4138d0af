import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SHOP_IMAGES } from '../support/charts.ts';
import { type EmbeddedRegistry } from '../support/registries.ts';
import { listTags } from '../support/registry-content.ts';
import { startRegistryProxy } from '../support/registry-proxy.ts';
import { DT_PATH } from '../support/run-cli.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { prepareWrappedShop } from '../support/wrapped-shop.ts';

interface UnwrapDocument {
  readonly charts: readonly { readonly digest: string }[];
  readonly summary: { readonly presentImages: number; readonly sentBytes: number };
}

test('every blob is sent once, and mounted where another image needs it', async (t) => {
  const { sandbox, target, pushed } = await prepareWrappedShop(t);
  const { summary } = await unwrap(sandbox, target);
  const unique = new Set([...pushed.values()].flatMap(({ blobs }) => blobs));
  const uploads = target.requests.filter((request) => /^PUT \S+\/blobs\/uploads\//.test(request));
  // The chart is two blobs more: its config and its archive.
  assert.equal(uploads.length, unique.size + 2);
  const mounts = target.requests.filter((request) => /^POST .*[?&]mount=.* 201$/.test(request));
  const needed = [...pushed.values()].reduce((sum, { blobs }) => sum + blobs.length, 0);
  assert.equal(mounts.length, needed - unique.size);
  assert.ok(mounts.length > 0);
  const totalBytes = [...pushed.values()].reduce((sum, image) => sum + image.totalBytes, 0);
  assert.ok(summary.sentBytes > 0 && summary.sentBytes < totalBytes);
});

test('with everything present nothing is sent, and the chart keeps its digest', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const first = await unwrap(sandbox, target);
  const before = target.requests.length;
  // The time of the chart's manifest has whole seconds.
  await sleep(1100);
  const second = await unwrap(sandbox, target);
  const requests = target.requests.slice(before);
  assert.deepEqual(
    requests.filter((request) => !/^(?:HEAD|GET) /.test(request)),
    [],
  );
  assert.equal(second.summary.presentImages, SHOP_IMAGES.length);
  assert.equal(second.summary.sentBytes, 0);
  assert.deepEqual(second.charts, first.charts);
});

test('after one image was lost only that one is sent', async (t) => {
  const { sandbox, target, pushed } = await prepareWrappedShop(t);
  await unwrap(sandbox, target);
  const image = pushed.get('team/worker:2.1-debian');
  assert.ok(image !== undefined);
  const url = `http://${target.host}/v2/mirror/team/worker/manifests/${image.digest}`;
  assert.equal((await fetch(url, { method: 'DELETE' })).status, 202);
  const before = target.requests.length;
  const { summary } = await unwrap(sandbox, target);
  assert.equal(summary.presentImages, SHOP_IMAGES.length - 1);
  const writes = target.requests.slice(before).filter((request) => /^(?:POST|PUT|PATCH) /.test(request));
  // The first one asks for permission: an upload that is opened and cancelled.
  assert.equal(writes.shift(), 'POST /v2/mirror/team/worker/blobs/uploads/ 202');
  assert.ok(
    writes.length > 0 && writes.every((request) => request.includes('/v2/mirror/team/worker/manifests/')),
    writes.join('\n'),
  );
});

test('an unwrap that was killed sends only what is missing, and has tagged nothing', async (t) => {
  const { sandbox, target, pushed } = await prepareWrappedShop(t);
  const proxy = await startRegistryProxy(target.host);
  t.after(async () => proxy.close());
  const layers = [
    ...new Set([...pushed.values()].flatMap(({ manifests }) => manifests.flatMap((manifest) => manifest.layers))),
  ];
  const stalled = new Set<string>(layers.slice(layers.length >> 1));
  const sent = new Set<string>();
  proxy.stallBlob = (digest) => stalled.has(digest);
  const reached = new Promise<void>((resolve) => {
    proxy.onBlob = (digest, outcome) => {
      if (outcome === 'sent') sent.add(digest);
      if (layers.every((layer) => stalled.has(layer) || sent.has(layer))) resolve();
    };
  });
  const child = spawn(DT_PATH, ['unwrap', 'w.tgz', `${proxy.host}/mirror`, '--yes'], {
    cwd: sandbox.work,
    env: { ...process.env, ...sandbox.env },
    stdio: 'ignore',
  });
  await reached;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  assert.deepEqual([...(await listTags(target.host))], []);

  proxy.stallBlob = () => false;
  const finished = new Set(sent);
  sent.clear();
  await sandbox.runOk(['unwrap', 'w.tgz', `${proxy.host}/mirror`, '--yes']);
  assert.deepEqual(
    [...sent].filter((digest) => finished.has(digest)),
    [],
  );
  assert.ok([...stalled].every((digest) => sent.has(digest)));
  assert.equal((await listTags(target.host)).size, SHOP_IMAGES.length + 1);
});

async function unwrap(sandbox: Sandbox, target: EmbeddedRegistry): Promise<UnwrapDocument> {
  const stdout = await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/mirror`, '--yes', '--json']);
  return JSON.parse(stdout) as UnwrapDocument;
}
