import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { randomBytesOf, pushBlob, pushImage, pushManifest } from '../support/images.ts';
import { listTags, readStoredChart, readStoredManifest } from '../support/registry-content.ts';
import {
  loadGoldenRegistry,
  startDistribution2,
  startDistribution3,
  startEmbeddedRegistry,
  type TestRegistry,
} from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { requireTool } from '../support/tools.ts';

/** One of every kind of image: lists of Docker and OCI, single ones, variants, Windows, attestations, foreign layers. */
const KINDS = [
  'bitnami/nginx:1.27.3-debian-12-r0',
  'deep/a/b/c/tool:3',
  'library/redis:6.0.5',
  'one/app:1',
  'special/armv:1.0.0',
  'special/attested:1.0.0',
  'special/foreign:1.0.0',
  'special/single-armv7:1',
  'special/single-docker:2.0.0',
  'special/single:2.0.0',
  'special/unknown-platform:1.0.0',
  'special/winmulti:1.0.0',
  'toplevel:1.2',
];

const REGISTRIES = [
  { name: 'distribution 3', tool: 'registry3', start: startDistribution3, takesSparse: false },
  { name: 'distribution 2', tool: 'registry2', start: startDistribution2, takesSparse: false },
  {
    name: 'distribution 3 that takes sparse indexes',
    tool: 'registry3',
    start: async () => startDistribution3({ sparseIndexes: true }),
    takesSparse: true,
  },
  { name: 'the embedded registry', tool: undefined, start: startEmbeddedRegistry, takesSparse: false },
] as const;

for (const { name, tool, start, takesSparse } of REGISTRIES) {
  test(`images of every kind keep their digest in ${name}`, async (t) => {
    if (tool !== undefined && requireTool(t, tool) === undefined) return;
    const { sandbox, source, target } = await prepare(t, start);
    await loadGoldenRegistry(source.host);
    await writeChart(
      sandbox,
      KINDS.map((reference) => `${source.host}/${reference}`),
    );
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
    await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
    for (const reference of KINDS) {
      const [repository, tag] = reference.split(':') as [string, string];
      const expected = await readStoredManifest(source.host, repository, tag);
      const actual = await readStoredManifest(target.host, `m/${repository.split('/').slice(-2).join('/')}`, tag);
      assert.equal(actual?.digest, expected?.digest, reference);
      assert.equal(actual?.mediaType, expected?.mediaType, reference);
    }
  });

  test(`chosen platforms of an image are a working image in ${name}`, async (t) => {
    if (tool !== undefined && requireTool(t, tool) === undefined) return;
    const { sandbox, source, target } = await prepare(t, start);
    const full = await pushImage(source.host, 'team/app:1', {
      platforms: ['linux/amd64', 'linux/arm64', 'linux/s390x'],
    });
    await writeChart(sandbox, [`${source.host}/team/app:1`]);
    await sandbox.runOk(['wrap', 'kinds', '--platforms', 'linux/amd64,linux/s390x', '--output-file', 'w.tgz']);
    const args = ['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--json'];
    const first = JSON.parse(await sandbox.runOk(args)) as { warnings: string[]; charts: { digest: string }[] };
    const stored = await readStoredManifest(target.host, 'm/team/app', '1');
    const kept = full.manifests.filter(({ platform }) => platform !== 'linux/arm64').map(({ digest }) => digest);
    if (takesSparse) assert.equal(stored?.digest, full.digest);
    else {
      assert.deepEqual(
        stored?.manifest.manifests?.map(({ digest }) => digest),
        kept,
      );
      assert.ok(
        first.warnings.some((warning) => warning.includes(full.digest)),
        'the change of the digest is said aloud',
      );
    }
    for (const digest of kept) assert.ok((await readStoredManifest(target.host, 'm/team/app', digest)) !== undefined);
    const again = JSON.parse(await sandbox.runOk(args)) as {
      summary: { presentImages: number };
      charts: { digest: string }[];
    };
    assert.equal(again.summary.presentImages, 1);
    assert.equal(again.charts[0]?.digest, first.charts[0]?.digest);
  });
}

test('an image by digest, by tag and digest, and the same image twice', async (t) => {
  const { sandbox, source, target } = await prepare(t, startEmbeddedRegistry);
  const image = await pushImage(source.host, 'team/app:1');
  const single = await pushImage(source.host, 'team/single:1', { platforms: ['linux/amd64'] });
  await writeChart(sandbox, [
    `${source.host}/team/app@${image.digest}`,
    `${source.host}/team/single:1@${single.digest}`,
    `${source.host}/team/single:1@${single.digest}`,
  ]);
  await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
  await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
  assert.equal((await readStoredManifest(target.host, 'm/team/app', image.digest))?.digest, image.digest);
  assert.equal((await readStoredManifest(target.host, 'm/team/single', '1'))?.digest, single.digest);
});

test('a chart with build metadata in its version', async (t) => {
  const { sandbox, source, target } = await prepare(t, startEmbeddedRegistry);
  await pushImage(source.host, 'team/app:1');
  await writeChart(sandbox, [`${source.host}/team/app:1`], '1.0.0+build.7');
  await sandbox.runOk(['wrap', 'kinds']);
  await sandbox.runOk(['unwrap', 'kinds-1.0.0+build.7.wrap.tgz', `${target.host}/m`, '--yes']);
  const chart = await readStoredChart(target.host, 'm/kinds', '1.0.0_build.7');
  assert.match(chart.files.get('Chart.yaml')?.toString() ?? '', /version: 1\.0\.0\+build\.7/);
});

test('sizes at the border between small and large entries, and an empty layer', async (t) => {
  const { sandbox, source, target } = await prepare(t, startEmbeddedRegistry);
  const sizes = [
    0, 1, 511, 512, 513, 65_534, 65_535, 65_536, 65_537, 131_070, 1_048_575, 1_048_576, 1_048_577, 3_000_000,
  ];
  const layers = [];
  for (const size of sizes) {
    const bytes = randomBytesOf(`layer ${String(size)}`, size);
    layers.push(await pushBlob(source.host, 'team/sizes', bytes, 'application/vnd.oci.image.layer.v1.tar'));
  }
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }),
  );
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: await pushBlob(source.host, 'team/sizes', config, 'application/vnd.oci.image.config.v1+json'),
    layers,
  };
  // Keys in no usual order, and blanks: the bytes must come through as they are.
  const bytes = Buffer.from(`\n ${JSON.stringify(manifest, null, 3)}\n\n`);
  const digest = await pushManifest(source.host, 'team/sizes', '1', bytes, mediaType);
  await writeChart(sandbox, [`${source.host}/team/sizes:1`]);
  for (const flags of [[], ['--compat']]) {
    await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz', ...flags]);
    const prefix = `${target.host}/m${String(flags.length)}`;
    await sandbox.runOk(['unwrap', 'w.tgz', prefix, '--yes']);
    assert.equal((await listTags(target.host)).get(`m${String(flags.length)}/team/sizes:1`), digest);
    await sandbox.runOk(['-tzf', 'w.tgz'], { command: 'tar' });
    await sandbox.runOk(['-t', 'w.tgz'], { command: 'gzip' });
  }
});

interface Prepared {
  readonly sandbox: Sandbox;
  readonly source: TestRegistry;
  readonly target: TestRegistry;
}

async function prepare(t: TestContext, startTarget: () => Promise<TestRegistry>): Promise<Prepared> {
  const sandbox = await createSandbox(t);
  const [source, target] = await Promise.all([startEmbeddedRegistry(), startTarget()]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  return { sandbox, source, target };
}

async function writeChart(sandbox: Sandbox, images: readonly string[], version = '1.0.0'): Promise<void> {
  const folder = join(sandbox.work, 'kinds');
  await mkdir(folder, { recursive: true });
  const list = images.map((image, index) => `    - {name: i${String(index)}, image: "${image}"}\n`).join('');
  await writeFile(
    join(folder, 'Chart.yaml'),
    `apiVersion: v2\nname: kinds\nversion: ${version}\nannotations:\n  images: |\n${list}`,
  );
}
