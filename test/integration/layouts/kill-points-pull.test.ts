import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { isDigest, matchesDigest } from '../../../src/domain/oci/digest.ts';
import { pushShopImages, writeShopChart } from '../../support/charts.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { describeKills, measure, pickKillPoint, runAndKill, type RunToKill } from '../../support/kill-points.ts';
import { startProxiedRegistry } from '../../support/proxied-registry.ts';
import { listFiles } from '../../support/pulled-shop.ts';
import { createRandom } from '../../support/random.ts';
import { startEmbeddedRegistry } from '../../support/registries.ts';

const KILLS_PER_LANE = 8;
const LAYER_BYTES = 200_000;
const OWN_FILES = ['.dt-pull.lock', '.dt-pull.tmp/'];

describeKills('kill -9 in the middle of a pull', KILLS_PER_LANE, testLane);

async function testLane(t: TestContext, seed: number): Promise<void> {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startFaultProxy);
  await pushShopImages(registry.host, LAYER_BYTES);
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  await sandbox.runOk(['images', 'lock', 'shop']);
  proxy.play({});
  const args = ['images', 'pull', 'shop'];
  await sandbox.runOk(args);
  const images = join(sandbox.work, 'shop/images');
  const undisturbed = await listFiles(images);
  const run: RunToKill = { sandbox, proxy, args, env: {}, scale: { ...measure(proxy), hasFiles: false } };
  const random = createRandom(seed);
  for (let kills = 0; kills < KILLS_PER_LANE; kills++) {
    await rm(images, { recursive: true, force: true });
    proxy.play({});
    const point = pickKillPoint(random, run);
    const story = JSON.stringify({ seed, kills, point });
    if (await runAndKill(run, point)) await requireWhole(images, undisturbed, story);
    await sandbox.runOk(args);
    assert.deepEqual(await listFiles(images), undisturbed, story);
    await requireWhole(images, undisturbed, story);
  }
}

/** What has a final name is complete. */
async function requireWhole(images: string, known: readonly string[], story: string): Promise<void> {
  const files = await listFiles(images).catch(() => []);
  for (const file of files.filter((path) => !OWN_FILES.some((own) => path.startsWith(own)))) {
    assert.ok(known.includes(file), `${file}, ${story}`);
    const digest = `sha256:${basename(file)}`;
    const bytes = await readFile(join(images, file));
    if (isDigest(digest)) assert.ok(matchesDigest(bytes, digest), `${file}, ${story}`);
    else if (file.endsWith('.json')) JSON.parse(bytes.toString());
  }
}
