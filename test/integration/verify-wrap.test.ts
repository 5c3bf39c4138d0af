import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parsePlatform } from '../../src/domain/oci/platform.ts';
import { EMPTY_BLOB, createArtifact } from '../support/attached.ts';
import { packArchive } from '../support/archives.ts';
import { GOLDEN_ROOT } from '../support/golden.ts';
import { chartFiles, makeHonestWrap, writeFiles } from '../support/hostile-wraps.ts';
import { pushBlob, pushChart, pushManifest } from '../support/images.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { attachSignature, createKey, verifyFile, withSource, type SourceImage } from '../support/verify-wrap.ts';

test('an honest wrap is found sound, and every blob of it was hashed', async () => {
  await withSource(async (source) => {
    const wrap = await source.wrap();
    const { result, warnings } = await verifyFile(join(source.folder, 'demo.wrap.tgz'));
    const { durationMs, ...facts } = result;
    assert.ok(durationMs >= 0);
    assert.deepEqual(facts, {
      file: join(source.folder, 'demo.wrap.tgz'),
      sizeBytes: wrap.length,
      kind: 'chart',
      charts: [{ name: 'demo', version: '1.2.3' }],
      images: [
        { reference: source.app.reference, digest: source.app.digest, platforms: platformsOf(source.app) },
        { reference: source.tool.reference, digest: source.tool.digest, platforms: platformsOf(source.tool) },
      ],
      isLight: false,
      // Four large layers, one of them shared; three configs, four manifests and the second copies of the small ones.
      blobCount: facts.blobCount,
      blobBytes: facts.blobBytes,
      signatures: [],
    });
    assert.ok(facts.blobCount >= 11 && facts.blobBytes > 4 * 80_000);
    assert.deepEqual(warnings, []);
  });
});

test('wraps of every kind are found sound', async () => {
  await withSource(async (source) => {
    const { folder, host } = source;
    const key = await createKey(folder);
    await attachSignature(source, source.app, key.privateKey);
    await attachSignature(source, source.app, key.privateKey, { form: 'classic' });
    await attachSignature(source, source.tool, key.privateKey, { form: 'classic' });
    const artifact = createArtifact(source.app.digest, 'sbom');
    await pushBlob(host, 'app', EMPTY_BLOB, 'application/vnd.oci.empty.v1+json');
    await pushManifest(
      host,
      'app',
      artifact.descriptor.digest,
      Buffer.from(artifact.bytes),
      artifact.descriptor.mediaType,
    );
    await writeFiles(join(folder, 'other'), {
      ...chartFiles([`${host}/app:1`]),
      'Chart.yaml': `apiVersion: v2\nname: other\nversion: 2.0.0\nannotations:\n  images: |\n    - name: app\n      image: ${host}/app:1\n`,
      'files/large.bin': Buffer.alloc(200_000, 'large'),
    });
    const packed = await packArchive({
      'demo/Chart.yaml': (await readFile(join(folder, 'demo/Chart.yaml'))).toString(),
      'demo/values.yaml': 'a: 1\n',
      'demo/large.txt': createHash('sha256').update('x').digest('hex').repeat(2000),
    });
    await writeFile(join(folder, 'demo-1.2.3.tgz'), packed);
    await writeFile(
      join(folder, 'demo-1.2.3.tgz.prov'),
      `files:\n  demo-1.2.3.tgz: sha256:${createHash('sha256').update(packed).digest('hex')}\n`,
    );
    const demo = { location: join(folder, 'demo') };
    const other = { location: join(folder, 'other') };
    const kinds = {
      'with what is attached': {},
      'two charts': { sources: [demo, other] },
      'for the Go dt': { isCompatible: true },
      'with one platform': { platforms: [parsePlatform('linux/arm64'), parsePlatform('linux/amd64')].slice(1) },
      'without what is attached': { skipAttached: true },
      light: { skipImages: true },
      'of a packaged chart with provenance': { sources: [{ location: join(folder, 'demo-1.2.3.tgz') }] },
      'without images': { sources: [{ location: join(folder, 'demo') }], annotationsKey: 'none', allowEmpty: true },
    } as const;
    for (const [name, options] of Object.entries(kinds)) {
      const outputFile = join(folder, `${name.replaceAll(' ', '-')}.wrap.tgz`);
      await source.wrap({ ...options, outputFile });
      const { result, warnings } = await verifyFile(outputFile).catch((error: unknown) => {
        throw new Error(`${name}: ${String(error)} ${JSON.stringify((error as { failures?: unknown }).failures)}`);
      });
      assert.equal(result.isLight, name === 'light', name);
      assert.equal(result.charts.length, name === 'two charts' ? 2 : 1);
      assert.deepEqual(warnings, [], name);
      const isSigned = !['without what is attached', 'light', 'without images'].includes(name);
      assert.equal(result.signatures.length > 0, isSigned, name);
      assert.ok(result.signatures.every(({ status }) => status === 'unchecked'));
    }
  });
});

test('a provenance file of another archive is a warning', async () => {
  await withSource(async (source) => {
    const chart = { 'demo/Chart.yaml': (await readFile(join(source.folder, 'demo/Chart.yaml'))).toString() };
    const metadata = { name: 'demo', version: '1.2.3' };
    const provenanceBytes = Buffer.from(`files:\n  demo-1.2.3.tgz: sha256:${'0'.repeat(64)}\n`);
    const { reference } = await pushChart(source.host, 'charts', metadata, await packArchive(chart), {
      provenanceBytes,
    });
    const outputFile = join(source.folder, 'w.wrap.tgz');
    await source.wrap({ sources: [{ location: `oci://${reference}` }], outputFile });
    const { warnings } = await verifyFile(outputFile);
    assert.match(warnings.join(''), /provenance/);
  });
});

test('wraps of the Go dt are found sound', async () => {
  const files = [
    'dt-unwrap/artifacts/input/signed-1.0.0.wrap.tgz',
    'dt-unwrap/attestations/input/c1-1.0.0.wrap.tgz',
    'dt-unwrap/contour/input/contour-19.3.2.wrap.tgz',
    'dt-unwrap/contour-pretty/input/contour-19.3.2.wrap.tgz',
    'dt-unwrap/docker-and-single/input/c1-1.0.0.wrap.tgz',
    'dt-unwrap/empty/input/c1-1.0.0.wrap.tgz',
    'dt-unwrap/light-wrap/input/c1-1.0.0.wrap.tgz',
    'dt-unwrap/platform-filtered/input/c1-1.0.0.wrap.tgz',
    'dt-unwrap/subcharts/input/c1-1.0.0.wrap.tgz',
    'dt-wrap/carvel-bundle/output/contour-19.3.2.wrap.tgz',
    'dt-wrap/light-with-existing-lock/output/contour-19.3.2.wrap.tgz',
    'dt-container/wrap-multi/output/redis-6.0.5.container.wrap.tgz',
    'dt-container/wrap-artifacts/output/signed-1.0.0.container.wrap.tgz',
  ];
  for (const file of files) {
    const { result } = await verifyFile(join(GOLDEN_ROOT, file));
    assert.equal(result.isLight, file.includes('light'), file);
    assert.equal(result.blobCount > 0, !/light|empty/.test(file), file);
  }
});

test('the program tells what it checked, and everything that is wrong', async (t) => {
  const { sandbox, wrap } = await prepareHonestFile(t);
  const sound = await sandbox.run(['verify', 'w.wrap.tgz']);
  assert.equal(sound.code, 0, sound.stderr);
  assert.match(sound.stdout, /"w\.wrap\.tgz" is sound/);
  const document = JSON.parse((await sandbox.run(['verify', 'w.wrap.tgz', '--json'])).stdout) as { blobCount: number };
  assert.ok(document.blobCount > 5);

  const [first, second] = findLargeData(wrap);
  const damaged = Buffer.from(wrap);
  for (const at of [first, second]) damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
  await writeFile(join(sandbox.work, 'w.wrap.tgz'), damaged);
  const broken = await sandbox.run(['verify', 'w.wrap.tgz', '--json']);
  assert.equal(broken.code, 3);
  const { error } = JSON.parse(broken.stdout) as {
    error: {
      exitCode: number;
      failures: { code: string; entry: string; digest: string; images: string[]; message: string }[];
    };
  };
  assert.equal(error.exitCode, 3);
  const blobs = error.failures.filter(({ entry }) => /\/blobs\/sha256\//.test(entry));
  assert.equal(blobs.length, 2);
  for (const { digest, entry, images, message, code } of blobs) {
    assert.equal(code, 'DT_WRAP_INVALID');
    assert.ok(entry.endsWith(digest.slice('sha256:'.length)) && message.includes(entry));
    assert.match(images.join(), /library\/multi:1\.0$/);
  }
  const text = await sandbox.run(['verify', 'w.wrap.tgz', '--plain']);
  assert.equal(text.code, 3);
  assert.match(text.stderr, /2 findings/);
  assert.deepEqual(await sandbox.listTemporary(), []);
});

test('what is no wrap is refused as by the other commands', async (t) => {
  const { sandbox, wrap } = await prepareHonestFile(t);
  const path = (name: string): string => join(sandbox.work, name);
  await mkdir(path('folder'));
  await writeFile(path('empty'), '');
  await writeFile(path('text'), 'this is no wrap\n'.repeat(1000));
  await writeFile(path('cut'), wrap.subarray(0, wrap.length - 2000));
  await writeFile(path('chart.tgz'), await packArchive({ 'some/thing.txt': 'x' }));
  execFileSync('mkfifo', [path('fifo')]);
  for (const [name, code, exitCode] of [
    ['missing', 'DT_FILE_NOT_FOUND', 1],
    ['folder', 'DT_FILE_UNREADABLE', 1],
    ['fifo', 'DT_FILE_UNREADABLE', 1],
    ['empty', 'DT_WRAP_TRUNCATED', 3],
    ['text', 'DT_WRAP_INVALID', 3],
    ['cut', 'DT_WRAP_TRUNCATED', 3],
    ['chart.tgz', 'DT_WRAP_INVALID', 3],
  ] as const) {
    const result = await sandbox.run(['verify', name]);
    assert.match(result.stderr, new RegExp(`Code: ${code}\\n`), name);
    assert.equal(result.code, exitCode, name);
  }
});

async function prepareHonestFile(t: TestContext): Promise<{ sandbox: Sandbox; wrap: Buffer }> {
  const sandbox = await createSandbox(t);
  const wrap = await makeHonestWrap();
  await writeFile(join(sandbox.work, 'w.wrap.tgz'), wrap);
  return { sandbox, wrap };
}

/** Places in the layers of the honest wrap: the members of layers are as large as they are, far behind each other. */
function findLargeData(wrap: Buffer): [number, number] {
  const found: number[] = [];
  for (let at = wrap.indexOf('ustar'); at !== -1; at = wrap.indexOf('ustar', at + 1)) found.push(at);
  const [first = 0, second = 0] = found.slice(-2);
  return [first + 40_000, second + 40_000];
}

function platformsOf({ platforms }: SourceImage): { digest: string; platform: string }[] {
  return platforms.map((digest, index) => ({ digest, platform: index === 0 ? 'linux/amd64' : 'linux/arm64' }));
}
