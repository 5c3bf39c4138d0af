import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { pushShopImages, SHOP_METADATA, writeShopChart } from '../support/charts.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { PushedImage } from '../support/images.ts';
import { describeKills, measure, pickKillPoint, runAndKill, type RunToKill } from '../support/kill-points.ts';
import { createRandom } from '../support/random.ts';
import { startProxiedRegistry } from '../support/proxied-registry.ts';
import { startDistribution3 } from '../support/registries.ts';
import { readStoredBlob, readStoredManifest } from '../support/registry-content.ts';
import { requireTool } from '../support/tools.ts';
import { countResentBytes } from '../support/traffic.ts';

const KILLS_PER_LANE = 20;
/** An unwrap is killed once to so many times before it may end. */
const MAX_KILLS = 5;
const LAYER_BYTES = 200_000;
/** What packing adds to a layer, and more. */
const LARGEST_BLOB_BYTES = LAYER_BYTES + 4096;
const CONCURRENCY = 4;
const WRAP = 'shop.tgz';

describeKills('kill -9 in the middle of an unwrap', KILLS_PER_LANE, testLane);

async function testLane(t: TestContext, seed: number): Promise<void> {
  if (requireTool(t, 'registry3') === undefined) return;
  const { run, registryHost, pushed } = await prepare(t);
  const { sandbox, proxy } = run;
  const random = createRandom(seed);
  let worstResentBytes = 0;
  for (let kills = 0, chain = 0; kills < KILLS_PER_LANE; chain++) {
    const path = `mirror/${String(chain)}`;
    const args = unwrapArguments(`${proxy.host}/${path}`);
    const traffic = proxy.play({});
    const points = [];
    const wanted = 1 + random.below(Math.min(MAX_KILLS, KILLS_PER_LANE - kills));
    let isKilled = true;
    while (points.length < wanted && isKilled) {
      const point = pickKillPoint(random, run);
      isKilled = await runAndKill({ ...run, args }, point);
      if (isKilled) points.push(point);
      await checkTarget(registryHost, path, pushed);
    }
    kills += points.length;
    const story = JSON.stringify({ seed, kills, points });
    const { charts } = JSON.parse(await sandbox.runOk([...args, '--json'])) as { charts: { digest: string }[] };
    const chart = await checkTarget(registryHost, path, pushed);
    assert.equal(chart, charts[0]?.digest, story);
    await checkBlobs(registryHost, path, pushed);
    assert.deepEqual((await readdir(sandbox.work)).sort(), ['shop', WRAP], story);
    const resentBytes = await countResentBytes(traffic, registryHost);
    const limitBytes = points.length * CONCURRENCY * LARGEST_BLOB_BYTES;
    assert.ok(resentBytes <= limitBytes, `${String(resentBytes)} bytes sent twice, ${story}`);
    worstResentBytes = Math.max(worstResentBytes, resentBytes / Math.max(points.length, 1));
  }
  t.diagnostic(`bytes sent twice, at most, for one kill: ${worstResentBytes.toFixed(0)}`);
}

/** A tag that is there is the right one, and a chart is there only with all its images. Returns the digest of the chart. */
async function checkTarget(
  host: string,
  path: string,
  pushed: ReadonlyMap<string, PushedImage>,
): Promise<string | undefined> {
  const chart = await readStoredManifest(host, `${path}/${SHOP_METADATA.name}`, SHOP_METADATA.version);
  for (const [reference, image] of pushed) {
    const [repository = '', tag = ''] = reference.split(':');
    const digest = (await readStoredManifest(host, `${path}/${repository}`, tag))?.digest;
    if (digest !== undefined || chart !== undefined) assert.equal(digest, image.digest);
  }
  return chart?.digest;
}

async function checkBlobs(host: string, path: string, pushed: ReadonlyMap<string, PushedImage>): Promise<void> {
  for (const [reference, { blobs, manifests }] of pushed) {
    const repository = `${path}/${reference.split(':')[0] ?? ''}`;
    for (const { digest } of manifests) assert.ok(await readStoredManifest(host, repository, digest));
    for (const digest of blobs) assert.equal(digestOf(await readStoredBlob(host, repository, digest)), digest);
  }
}

interface Prepared {
  readonly run: Omit<RunToKill, 'args'>;
  readonly registryHost: string;
  readonly pushed: ReadonlyMap<string, PushedImage>;
}

/** A wrap, and a registry behind a proxy into which it has been unwrapped once without a disturbance. */
async function prepare(t: TestContext): Promise<Prepared> {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startDistribution3, startFaultProxy);
  const pushed = await pushShopImages(registry.host, LAYER_BYTES);
  await writeShopChart(join(sandbox.work, 'shop'), registry.host);
  await sandbox.runOk(['wrap', 'shop', '--output-file', WRAP]);
  proxy.play({});
  await sandbox.runOk(unwrapArguments(`${proxy.host}/undisturbed`));
  const scale = { ...measure(proxy), hasFiles: false };
  return { run: { sandbox, proxy, env: {}, scale }, registryHost: registry.host, pushed };
}

function unwrapArguments(prefix: string): string[] {
  return ['unwrap', WRAP, prefix, '--yes', '--concurrency', String(CONCURRENCY)];
}
