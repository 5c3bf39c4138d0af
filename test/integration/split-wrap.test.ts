import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pushShopImages, writeShopChart } from '../support/charts.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { measure, pickKillPoint, runAndKill } from '../support/kill-points.ts';
import { startProxiedRegistry } from '../support/proxied-registry.ts';
import { createRandom, SEED } from '../support/random.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const OUTPUT = 'shop.wrap.tgz';
const ENV = { SOURCE_DATE_EPOCH: '1700000000' };
const LAYER_BYTES = 700_000;
const WRAP = ['wrap', 'shop', '--output-file', OUTPUT];
const SPLIT = [...WRAP, '--split', '1MB'];
const KILLS = 12;

test('a wrap in parts is checked, cut and joined by coreutils, signed, shown, verified and unwrapped', async (t) => {
  const { sandbox, registry } = await prepare(t);
  const { work } = sandbox;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(work, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(work, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await sandbox.runOk(WRAP, { env: ENV });
  const whole = await readFile(join(work, OUTPUT));
  const info = await sandbox.runOk(['info', OUTPUT, '--json']);

  const result = JSON.parse(await sandbox.runOk([...SPLIT, '--sign', 'key.pem', '--json'], { env: ENV })) as {
    parts: string[];
    file: string;
    sizeBytes: number;
    signatureFile: string;
  };
  const names = Array.from({ length: Math.ceil(whole.length / 1e6) }, (_, index) => partName(index + 1));
  assert.ok(names.length > 3);
  assert.deepEqual([result.file, result.parts, result.sizeBytes], [OUTPUT, names, whole.length]);
  assert.equal(result.signatureFile, `${OUTPUT}.sigstore.json`);
  assert.deepEqual(
    (await readdir(work)).filter((name) => name.startsWith(OUTPUT)).sort(),
    [...names, `${OUTPUT}.sha256`, `${OUTPUT}.sigstore.json`].sort(),
    'the former wrap is gone',
  );
  execFileSync('sha256sum', ['-c', '--strict', `${OUTPUT}.sha256`], { cwd: work });
  execFileSync('sh', ['-c', `cat ${OUTPUT}.0* > joined.tgz`], { cwd: work });
  assert.ok((await readFile(join(work, 'joined.tgz'))).equals(whole));

  await copyFile(join(work, `${OUTPUT}.sigstore.json`), join(work, 'joined.tgz.sigstore.json'));
  await sandbox.runOk(['verify', 'joined.tgz', '--key', 'key.pub']);
  for (const given of [OUTPUT, partName(1), partName(2), `${OUTPUT}.sha256`]) {
    const shown = JSON.parse(await sandbox.runOk(['info', given, '--json'])) as object;
    assert.deepEqual({ ...shown, file: OUTPUT }, JSON.parse(info));
    assert.match(await sandbox.runOk(['verify', given, '--key', 'key.pub']), /Signature of the wrap: signature by/);
    const target = `${registry.host}/to-${given.replaceAll('.', '-')}`;
    await sandbox.runOk(['unwrap', given, target, '--yes']);
  }
  // What another tool has cut into other parts.
  await mkdir(join(work, 'cut'));
  execFileSync('split', ['-b', '900000', '-d', '-a', '3', '--numeric-suffixes=1', 'joined.tgz', `cut/${OUTPUT}.`], {
    cwd: work,
  });
  const unlisted = await sandbox.run(['unwrap', `cut/${OUTPUT}`, `${registry.host}/cut`, '--yes']);
  assert.equal(unlisted.code, 0, unlisted.stderr);
  assert.match(unlisted.stderr, /shop\.wrap\.tgz\.sha256 is not beside the parts/);
});

test('parts that are missing, swapped or damaged are named, and nothing is pushed', async (t) => {
  const { sandbox, registry } = await prepare(t);
  const { work } = sandbox;
  await sandbox.runOk(SPLIT, { env: ENV });
  const at = (name: string): string => join(work, name);
  const unwrap = ['unwrap', OUTPUT, `${registry.host}/site`, '--yes'];
  const before = registry.requests.length;
  const refuse = async (args: readonly string[], code: string, text: RegExp): Promise<void> => {
    const { code: exitCode, stderr } = await sandbox.run(args);
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, text);
    assert.match(stderr, new RegExp(`Code: ${code}`));
  };

  await rename(at(partName(2)), at('away'));
  for (const args of [
    unwrap,
    ['verify', OUTPUT],
    ['info', OUTPUT],
    ['images', 'unwrap', OUTPUT, registry.host, '--yes'],
  ])
    await refuse(args, 'DT_WRAP_INCOMPLETE', /shop\.wrap\.tgz\.002 is missing/);
  await rename(at('away'), at(partName(2)));
  assert.equal(registry.requests.length, before, 'no registry was asked');

  await rename(at(partName(2)), at('away'));
  await rename(at(partName(3)), at(partName(2)));
  await rename(at('away'), at(partName(3)));
  await refuse(
    ['verify', OUTPUT],
    'DT_DIGEST_MISMATCH',
    /2 parts of \d+ \(shop\.wrap\.tgz\.002, shop\.wrap\.tgz\.003\)/,
  );
  const tags = (): string[] => registry.requests.filter((request) => /^PUT .*\/manifests\//.test(request));
  await refuse(unwrap, 'DT_(DIGEST_MISMATCH|WRAP_INVALID)', /These bytes lie in shop\.wrap\.tgz\.00\d/);
  assert.ok(!tags().some((request) => request.includes('/charts') || request.includes('/shop/manifests')), 'no chart');
});

test('an image is wrapped and unwrapped in parts; sizes that are none are refused', async (t) => {
  const { sandbox, registry } = await prepare(t);
  const { work } = sandbox;
  const wrap = ['images', 'wrap', `${registry.host}/team/api:1.0`, '--output-file', 'image.tgz', '--split'];
  for (const size of ['4G', '999999', '', '-1', '0'])
    assert.equal((await sandbox.run([...wrap.slice(0, -1), `--split=${size}`])).code, 2, size);
  assert.match(await sandbox.runOk([...wrap, '4GB'], { env: ENV }), /in 1 part\)/);
  assert.deepEqual((await readdir(work)).sort(), ['image.tgz.001', 'image.tgz.sha256', 'shop']);
  await sandbox.runOk(['images', 'unwrap', 'image.tgz', `${registry.host}/site`, '--yes']);
});

test(`kill -9 in the middle of a split wrap (seed ${String(SEED)})`, async (t) => {
  const run = await prepareKills(t);
  const { sandbox, proxy } = run;
  const { work } = sandbox;
  const read = async (): Promise<Buffer> =>
    Buffer.concat(
      await Promise.all(
        (await readdir(work))
          .filter((name) => /\.\d{3}$/.test(name))
          .sort()
          .map(async (name) => readFile(join(work, name))),
      ),
    );
  const undisturbed = await read();
  const names = (await readdir(work)).sort();
  const random = createRandom(SEED);
  for (let kills = 0; kills < KILLS;) {
    for (const name of names) if (name.startsWith(OUTPUT)) await rm(join(work, name));
    proxy.play({});
    const points = [];
    while (points.length < 3) {
      const point = pickKillPoint(random, run);
      if (!(await runAndKill(run, point))) break;
      points.push(point);
    }
    kills += Math.max(points.length, 1);
    const story = JSON.stringify({ seed: SEED, points });
    await sandbox.runOk(run.args, { env: ENV });
    assert.ok((await read()).equals(undisturbed), story);
    assert.deepEqual((await readdir(work)).sort(), names, story);
    execFileSync('sha256sum', ['-c', '--strict', `${OUTPUT}.sha256`], { cwd: work });
  }
});

function partName(number: number): string {
  return `${OUTPUT}.${String(number).padStart(3, '0')}`;
}

async function prepare(t: TestContext): Promise<{ sandbox: Sandbox; registry: EmbeddedRegistry }> {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  await pushShopImages(registry.host, LAYER_BYTES);
  await writeShopChart(join(sandbox.work, 'shop'), registry.host);
  return { sandbox, registry };
}

async function prepareKills(t: TestContext): Promise<Parameters<typeof runAndKill>[0]> {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startFaultProxy);
  await pushShopImages(registry.host, LAYER_BYTES);
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  await sandbox.runOk(SPLIT, { env: ENV });
  return { sandbox, proxy, args: SPLIT, env: ENV, scale: { ...measure(proxy), hasFiles: true } };
}
