import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pushShopImages, SHOP_IMAGES, writeShopChart } from '../support/charts.ts';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { startProxiedRegistry } from '../support/proxied-registry.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../support/registries.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { DISTRIBUTION_2, DISTRIBUTION_3, EMBEDDED, openFidelitySite } from '../support/fidelity-site.ts';
import { pushBlob, pushManifest, randomBytesOf } from '../support/images.ts';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { listTags } from '../support/registry-content.ts';
import { DT_PATH } from '../support/run-cli.ts';
import { prepareWrappedShop } from '../support/wrapped-shop.ts';

const EPOCH = { SOURCE_DATE_EPOCH: '1700000000' };

test('a wrap on standard output is, byte for byte, the one in a file', async (t) => {
  const { sandbox } = await prepareWrappedShop(t);
  for (const flags of [[], ['--compat'], ['--skip-pull-images']]) {
    await sandbox.runOk(['wrap', 'shop', '-o', 'file.tgz', ...flags], { env: EPOCH });
    const args = ['-c', '"$0" wrap shop -o - "$@" | cat > stream.tgz', DT_PATH, ...flags];
    const { code, stdout, stderr } = await sandbox.run(args, { env: EPOCH, command: 'bash' });
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /wrapped to standard output/);
    const [file, stream] = await Promise.all(
      ['file.tgz', 'stream.tgz'].map((name) => readFile(join(sandbox.work, name))),
    );
    assert.ok(file?.equals(stream ?? Buffer.alloc(0)), flags.join(' '));
  }
});

for (const kind of [EMBEDDED, DISTRIBUTION_2, DISTRIBUTION_3]) {
  test(`a chart goes through a pipe into ${kind.name}, with what is attached to its images`, async (t) => {
    const site = await openFidelitySite(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const pushed = await pushShopImages(source.host);
    const subject = pushed.get('team/api:1.0');
    assert.ok(subject !== undefined);
    const attached = await attachLargeArtifact(source.host, 'team/api', subject.digest);
    await writeShopChart(join(sandbox.work, 'shop'), source.host);
    const pipe = '"$0" wrap shop -o - | "$0" unwrap - "oci://$1/mirror" --yes';
    const { code, stderr } = await sandbox.run(['-o', 'pipefail', '-c', pipe, DT_PATH, target.host], {
      command: 'bash',
    });
    assert.equal(code, 0, stderr);
    for (const { repository, tag } of SHOP_IMAGES) {
      const place = `${target.host}/mirror/${repository}`;
      assert.equal(await clients.digest(`${place}:${tag}`), pushed.get(`${repository}:${tag}`)?.digest);
      await clients.validate(`${place}:${tag}`);
    }
    assert.equal(await clients.digest(`${target.host}/mirror/team/api@${attached}`), attached);
    await clients.validate(`${target.host}/mirror/team/api@${attached}`);
    assert.ok((await clients.digest(`${target.host}/mirror/shop:1.2.3`)) !== undefined);
    assert.deepEqual(await sandbox.listTemporary(), []);
  });
}

/** An artifact of an image, such as a list of what is in it, that has a place of its own in a wrap. */
async function attachLargeArtifact(host: string, repository: string, subject: string): Promise<string> {
  const layer = randomBytesOf('attached', 200_000);
  const empty = Buffer.from('{}');
  await pushBlob(host, repository, layer, 'application/x.list');
  await pushBlob(host, repository, empty, 'application/vnd.oci.empty.v1+json');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const describe = (type: string, bytes: Buffer): object => ({
    mediaType: type,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      artifactType: 'application/x.list',
      config: describe('application/vnd.oci.empty.v1+json', empty),
      layers: [describe('application/x.list', layer)],
      subject: { mediaType: 'application/vnd.oci.image.index.v1+json', digest: subject, size: 1 },
    }),
  );
  await pushManifest(host, repository, digestOf(manifest), manifest, mediaType);
  return digestOf(manifest);
}

test('a wrap from standard input that is in the target already is read to its end all the same', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const wrap = await readFile(join(sandbox.work, 'w.tgz'));
  const args = ['unwrap', '-', `${target.host}/m`, '--yes', '--json'];
  await sandbox.runOk(args, { stdin: wrap });
  const before = await listTags(target.host);
  const { summary } = JSON.parse(await sandbox.runOk(args, { stdin: wrap })) as {
    summary: { presentImages: number; sentBytes: number };
  };
  assert.deepEqual([summary.presentImages, summary.sentBytes], [3, 0]);
  assert.deepEqual(await listTags(target.host), before);
  const { code, stderr } = await sandbox.run([...args.slice(0, 2), `${target.host}/m`, '--yes'], {
    stdin: wrap.subarray(0, -1),
  });
  assert.equal(code, 3, stderr);
});

test('an image wrap goes through a pipe, and info tells what is on one', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const wrap = await readFile(join(sandbox.work, 'w.tgz'));
  assert.equal(
    await sandbox.runOk(['info', '-', '--yaml'], { stdin: wrap }),
    await sandbox.runOk(['info', 'w.tgz', '--yaml']),
  );
  const [first] = SHOP_IMAGES;
  const { locks } = JSON.parse(await sandbox.runOk(['info', '-', '--json'], { stdin: wrap })) as {
    locks: { images: { image: string }[] }[];
  };
  const reference = locks[0]?.images[0]?.image ?? '';
  const pipe = '"$0" images wrap "$1" -o - | "$0" images unwrap - "$2/one" --yes';
  await sandbox.runOk(['-o', 'pipefail', '-c', pipe, DT_PATH, reference, target.host], { command: 'bash' });
  assert.ok((await listTags(target.host)).has(`one/api:${first?.tag ?? ''}`));
});

test('what cannot go together with a pipe is a mistake in usage', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const wrap = await readFile(join(sandbox.work, 'w.tgz'));
  const cases = [
    ['unwrap', '-', `${target.host}/m`],
    ['images', 'unwrap', '-', `${target.host}/m`],
    ['unwrap', '-', `${target.host}/m`, '--yes', '-u', 'me', '--password-stdin'],
    ['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--version', '1.2.3'],
    ['verify', '-'],
    ['wrap', 'shop', '-o', '-', '--json'],
    ['wrap', 'shop', '-o', '-', '--sign', 'cosign.key'],
    ['wrap', 'shop', '-o', '-', '--split', '1GB'],
  ];
  for (const args of cases) {
    const { code, stderr } = await sandbox.run(args, { stdin: wrap });
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
  }
  assert.deepEqual(
    target.requests.filter((line) => !line.startsWith('GET')),
    [],
  );
});

test('a wrap that standard output does not take whole is a failure, told once', async (t) => {
  const { sandbox } = await prepareWrappedShop(t);
  const cases: [rest: string, code: string][] = [
    ['| head --bytes 1000 > cut.tgz; exit "${PIPESTATUS[0]}"', 'DT_OUTPUT_FAILED'],
    ['> /dev/full', 'DT_DISK_FULL'],
  ];
  for (const [rest, code] of cases) {
    const args = ['-c', `"$0" wrap shop -o - ${rest}`, DT_PATH];
    const result = await sandbox.run(args, { command: 'bash' });
    assert.equal(result.code, 1, result.stderr);
    assert.match(
      result.stderr,
      new RegExp(`^Error: cannot write standard output: .*\nTry:\n.*\nCode: ${code}\n$`, 'm'),
    );
    assert.doesNotMatch(result.stderr, /^ {4}at |Error: .*[^]*Error: /m);
  }
});

test('a wrap whose source gives a wrong blob ends without its footer, and the other side pushes nothing that names one', async (t) => {
  const { sandbox, target, proxy } = await prepareFaultySite(t);
  proxy.play({ rules: [{ faults: [{ kind: 'flip', side: 'answer' }], method: 'GET', path: /\/blobs\//, nth: [7] }] });
  const pipe = '"$0" wrap shop -o - | "$0" unwrap - "$1/m" --yes; echo "${PIPESTATUS[@]}"';
  const { stdout, stderr } = await sandbox.run(['-c', pipe, DT_PATH, target.host], { command: 'bash' });
  assert.equal(stdout.trim().split('\n').at(-1), '3 3', stderr);
  assert.match(stderr, /Code: DT_DIGEST_MISMATCH\n/);
  assert.match(stderr, /Code: DT_WRAP_TRUNCATED\n/);
  assert.deepEqual([...(await listTags(target.host)).keys()], []);
  assert.ok(!target.requests.some((line) => /^PUT [^ ]*\/manifests\//.test(line)));
});

test('a connection that breaks in the middle of a blob is not seen on the other side of the pipe', async (t) => {
  const { sandbox, target, proxy } = await prepareFaultySite(t);
  proxy.play({ rules: [{ faults: [{ kind: 'cut' }], method: 'GET', path: /\/blobs\//, nth: [6, 8] }] });
  const pipe = '"$0" wrap shop -o - | "$0" unwrap - "$1/m" --yes';
  const args = ['-o', 'pipefail', '-c', pipe, DT_PATH, target.host];
  const { code, stderr } = await sandbox.run(args, { command: 'bash' });
  assert.equal(code, 0, stderr);
  assert.ok(proxy.traffic.tries > 0);
});

test('where the target refuses mounts, a blob of a pipe goes from its first repository to the others', async (t) => {
  const { sandbox, target: behind, pushed } = await prepareWrappedShop(t);
  const proxy = await startFaultProxy(behind.host);
  t.after(async () => proxy.close());
  proxy.play({ rules: [{ faults: [{ kind: 'status', status: 405 }], method: 'POST', path: /mount=/ }] });
  const wrap = await readFile(join(sandbox.work, 'w.tgz'));
  await sandbox.runOk(['unwrap', '-', `${proxy.host}/m`, '--yes'], { stdin: wrap });
  for (const { repository, tag } of SHOP_IMAGES) {
    const digest = pushed.get(`${repository}:${tag}`)?.digest;
    assert.ok((await listTags(behind.host)).get(`m/${repository}:${tag}`) === digest, repository);
  }
  assert.ok(behind.requests.some((line) => /^GET [^ ]*\/blobs\/[^ ]* 200$/.test(line)));
});

interface FaultySite {
  readonly sandbox: Sandbox;
  readonly target: EmbeddedRegistry;
  /** Before the registry that the images come from. */
  readonly proxy: FaultProxy;
}

async function prepareFaultySite(t: TestContext): Promise<FaultySite> {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startFaultProxy);
  const target = await startEmbeddedRegistry();
  t.after(async () => target.close());
  await pushShopImages(registry.host);
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  return { sandbox, target, proxy };
}
