import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pushShopImages, writeShopChart } from '../support/charts.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { describeKills, measure, pickKillPoint, runAndKill, type RunToKill } from '../support/kill-points.ts';
import { createRandom } from '../support/random.ts';
import { startProxiedRegistry } from '../support/proxied-registry.ts';
import { startDistribution3 } from '../support/registries.ts';
import { requireTool } from '../support/tools.ts';
import type { Traffic } from '../support/traffic.ts';

const KILLS_PER_LANE = 30;
/** A wrap is killed once to so many times before it may end. */
const MAX_KILLS = 5;
const LAYER_BYTES = 200_000;
const CONCURRENCY = 4;
/** Blobs under this size lie in the compressed start of a wrap: they are lost only if that was not written yet. */
const SMALL_BLOB_BYTES = 64 * 1024;
const ENV = { SOURCE_DATE_EPOCH: '1700000000' };
const OUTPUT = 'out.tgz';

describeKills('kill -9 in the middle of a wrap', KILLS_PER_LANE, testLane);

async function testLane(t: TestContext, seed: number): Promise<void> {
  if (requireTool(t, 'registry3') === undefined) return;
  const run = await prepare(t);
  const { sandbox, proxy } = run;
  const undisturbed = await readFile(join(sandbox.work, OUTPUT));
  const random = createRandom(seed);
  let worstRefetchedBytes = 0;
  for (let kills = 0; kills < KILLS_PER_LANE;) {
    await rm(join(sandbox.work, OUTPUT), { force: true });
    proxy.play({});
    const points = [];
    const wanted = 1 + random.below(Math.min(MAX_KILLS, KILLS_PER_LANE - kills));
    while (points.length < wanted && !existsSync(join(sandbox.work, OUTPUT))) {
      const point = pickKillPoint(random, run);
      if (await runAndKill(run, point)) points.push(point);
    }
    kills += points.length;
    const story = JSON.stringify({ seed, kills, points });
    const isComplete = existsSync(join(sandbox.work, OUTPUT));
    // A run that was killed when all was done but its lock was still there.
    if (isComplete) assert.ok((await readFile(join(sandbox.work, OUTPUT))).equals(undisturbed), story);
    await sandbox.runOk(run.args, { env: ENV });
    assert.ok((await readFile(join(sandbox.work, OUTPUT))).equals(undisturbed), story);
    assert.deepEqual((await readdir(sandbox.work)).sort(), [OUTPUT, 'shop'], story);
    if (isComplete) continue;
    const refetchedBytes = checkFetched(proxy.traffic, points.length, story);
    worstRefetchedBytes = Math.max(worstRefetchedBytes, refetchedBytes / points.length);
  }
  t.diagnostic(`bytes fetched twice, at most, for one kill: ${worstRefetchedBytes.toFixed(0)}`);
}

/**
 * A killed run loses the blobs that were on their way, of which there is one for each connection; a finished one is never
 * fetched again. Small ones come once in a run at the most. Returns the bytes of large blobs that were fetched more than once.
 */
function checkFetched({ fetched, sizes }: Traffic, kills: number, story: string): number {
  let refetchedBytes = 0;
  for (const [digest, bytes] of fetched) {
    const sizeBytes = sizes.get(digest) ?? 0;
    if (sizeBytes > SMALL_BLOB_BYTES) refetchedBytes += Math.max(bytes - sizeBytes, 0);
    else assert.ok(bytes <= (kills + 1) * sizeBytes, `${digest}, ${story}`);
  }
  const limitBytes = kills * CONCURRENCY * Math.max(...sizes.values());
  assert.ok(refetchedBytes <= limitBytes, `${String(refetchedBytes)} bytes fetched twice, ${story}`);
  return refetchedBytes;
}

/** A registry behind a proxy, and the wrap of an undisturbed run. */
async function prepare(t: TestContext): Promise<RunToKill> {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startDistribution3, startFaultProxy);
  await pushShopImages(registry.host, LAYER_BYTES);
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  const args = ['wrap', 'shop', '--output-file', OUTPUT, '--concurrency', String(CONCURRENCY)];
  await sandbox.runOk(args, { env: ENV });
  return { sandbox, proxy, args, env: ENV, scale: { ...measure(proxy), hasFiles: true } };
}
