import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { basicAuthorization, pushImage } from '../support/images.ts';
import {
  loadGoldenRegistry,
  startDistribution2,
  startDistribution3,
  startEmbeddedRegistry,
  TEST_CREDENTIALS,
} from '../support/registries.ts';
import { requireTool } from '../support/tools.ts';

const run = promisify(execFile);

for (const backend of ['memory', 'folder'] as const) {
  test(`crane works with the ${backend} backend`, async (t) => {
    const path = requireTool(t, 'crane');
    if (path === undefined) return;
    const crane = async (...args: readonly string[]): Promise<string> => (await run(path, [...args])).stdout.trim();
    const folder = await mkdtemp(join(tmpdir(), 'dt-crane-'));
    const registry = await startEmbeddedRegistry({ backend });
    t.after(async () => {
      await registry.close();
      await rm(folder, { recursive: true, force: true });
    });
    const { host } = registry;
    const image = await pushImage(host, 'source/app:1', { layerBytes: 3_000_000, sharedLayers: 1 });
    assert.equal(await crane('digest', `${host}/source/app:1`), image.digest);

    await crane('copy', `${host}/source/app:1`, `${host}/target/app:1`);
    assert.equal(await crane('digest', `${host}/target/app:1`), image.digest);
    assert.ok(registry.requests.some((line) => line.includes('mount=') && line.endsWith(' 201')));

    const layout = join(folder, 'layout');
    await crane('pull', '--format=oci', `${host}/target/app:1`, layout);
    for (const blob of image.blobs) {
      assert.ok((await readFile(join(layout, 'blobs/sha256', blob.slice('sha256:'.length)))).length > 0);
    }
    await crane('push', '--index', layout, `${host}/pushed/app:2`);
    const pushed = JSON.parse(await crane('manifest', `${host}/pushed/app:2`)) as { manifests: { digest: string }[] };
    assert.ok(pushed.manifests.length > 0);

    const tarball = join(folder, 'image.tar');
    await crane('pull', '--platform=linux/amd64', `${host}/source/app:1`, tarball);
    await crane('push', tarball, `${host}/tarball/app:1`);
    await crane('validate', '--remote', `${host}/tarball/app:1`);
    assert.equal(await crane('ls', `${host}/source/app`), '1');
    assert.deepEqual((await crane('catalog', host)).split('\n'), [
      'pushed/app',
      'source/app',
      'tarball/app',
      'target/app',
    ]);
    await crane('delete', `${host}/source/app@${image.digest}`);
    await assert.rejects(crane('digest', `${host}/source/app:1`));
    assert.equal(registry.requests.filter((line) => line.endsWith(' 500')).length, 0);
  });
}

const DISTRIBUTIONS = [
  { name: 'distribution 3', tool: 'registry3', start: startDistribution3 },
  { name: 'distribution 2', tool: 'registry2', start: startDistribution2 },
] as const;

for (const { name, tool, start } of DISTRIBUTIONS) {
  test(`${name} takes the same content`, async (t) => {
    if (requireTool(t, tool) === undefined) return;
    const registry = await start({ auth: true });
    t.after(() => registry.close());
    assert.equal((await fetch(`http://${registry.host}/v2/`)).status, 401);
    const authorization = basicAuthorization(TEST_CREDENTIALS);
    assert.ok((await loadGoldenRegistry(registry.host, { authorization })) > 40);
    const image = await pushImage(registry.host, 'source/app:1', { authorization, docker: true });
    const url = `http://${registry.host}/v2/source/app/manifests/${image.digest}`;
    const response = await fetch(url, { headers: { authorization, accept: '*/*' } });
    assert.equal(response.status, 200);
  });
}
