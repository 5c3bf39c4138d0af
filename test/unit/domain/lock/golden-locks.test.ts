import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { before, test } from 'node:test';
import { readChartFolder } from '../../../../src/archive/chart-folder.ts';
import { loadChart } from '../../../../src/archive/load-chart.ts';
import { readTarEntries } from '../../../../src/archive/unpack-tar.ts';
import { readChartImages } from '../../../../src/domain/chart/images-annotation.ts';
import { formatImagesLock } from '../../../../src/domain/lock/format-lock.ts';
import { lockDigestsOf, type ResolvedImage } from '../../../../src/domain/lock/lock-platforms.ts';
import { parseImagesLock } from '../../../../src/domain/lock/parse-lock.ts';
import type { Descriptor } from '../../../../src/domain/oci/descriptor.ts';
import { parseDigest } from '../../../../src/domain/oci/digest.ts';
import { parseManifest } from '../../../../src/domain/oci/manifest.ts';
import { parsePlatform, readPlatform } from '../../../../src/domain/oci/platform.ts';
import { GOLDEN_FOLDER, readGoldenText } from './golden-files.ts';

const SOURCE_REGISTRY = '127.0.0.1:5101/';
const MAX_KEPT_BLOB_BYTES = 100_000;

/** The source registry of the recordings: an OCI layout, of which manifests and configs are kept. */
const files = new Map<string, Buffer>();

before(async () => {
  const source = createReadStream(join(GOLDEN_FOLDER, 'registry/registry-5101.oci.tar'));
  const limits = { maxEntries: 10_000, maxTotalBytes: 2 ** 30 };
  const codes = { truncatedCode: 'DT_WRAP_TRUNCATED', invalidCode: 'DT_WRAP_INVALID' } as const;
  await readTarEntries(source, { name: 'registry', limits, ...codes }, async (entry, content) => {
    if (entry.sizeBytes <= MAX_KEPT_BLOB_BYTES) files.set(entry.path, await buffer(content));
  });
});

interface IndexEntry {
  readonly digest: string;
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function readFile(path: string): Buffer {
  return files.get(path) ?? assert.fail(`${path} is not in the registry`);
}

function resolveImage(image: string): ResolvedImage {
  const name = image.slice(SOURCE_REGISTRY.length);
  const tagged = name.includes(':') ? name : `${name}:latest`;
  const { manifests } = JSON.parse(readFile('index.json').toString()) as { manifests: IndexEntry[] };
  const entry = manifests.find(({ digest, annotations }) =>
    name.includes('@') ? name.endsWith(digest) : annotations?.['org.opencontainers.image.ref.name'] === tagged,
  );
  assert.ok(entry !== undefined, `${image} is not in the registry`);
  const digest = parseDigest(entry.digest);
  const bytes = readFile(`blobs/${digest.replace(':', '/')}`);
  const descriptor: Descriptor = { mediaType: entry.mediaType, digest, size: bytes.length };
  const manifest = parseManifest({ descriptor, bytes });
  if (manifest.kind === 'index') {
    const leaves = manifest.manifests.map((child) => ({ descriptor: child, platform: child.platform, indexes: [] }));
    return { kind: 'index', leaves };
  }
  const config = readFile(`blobs/${manifest.config.digest.replace(':', '/')}`);
  return { kind: 'manifest', digest, platform: readPlatform(JSON.parse(config.toString())) };
}

interface GoldenCase {
  readonly name: string;
  readonly output?: string;
  readonly annotationsKey?: string;
}

const CASES: readonly GoldenCase[] = [
  ...[
    'attestations-skipped',
    'dedup',
    'docker-list-with-variants',
    'index-digest-reference',
    'multi-arch',
    'no-annotations',
    'no-tag-means-latest',
    'overwrites-existing',
    'pretty-output',
    'single-arch-docker',
    'single-arch-oci',
    'single-armv7',
    'subchart-not-declared',
    'subcharts',
    'subcharts-tgz',
    'two-arm-variants',
    'unknown-platform-kept',
  ].map((name) => ({ name })),
  { name: 'output-file', output: 'my.lock' },
  { name: 'custom-annotations-key', annotationsKey: 'artifacthub.io/images' },
];

for (const { name, output = 'c/Images.lock', annotationsKey } of CASES) {
  test(`the lock of ${name} is the one of the Go tool`, async () => {
    const chart = await loadChart(await readChartFolder(join(GOLDEN_FOLDER, `dt-lock/${name}/input/c`)), 'c');
    const expected = readGoldenText(`dt-lock/${name}/output/${output}`);
    const images = readChartImages(chart, { annotationsKey }).map((image) => ({
      name: image.name,
      image: image.image,
      chart: image.chart,
      digests: lockDigestsOf(resolveImage(image.image), image.image),
    }));
    const { metadata } = parseImagesLock(expected, name);
    assert.equal(formatImagesLock({ metadata, chart: chart.metadata, images }), expected);
  });
}

test('platforms filter', async () => {
  const folder = join(GOLDEN_FOLDER, 'dt-lock/platforms-filter');
  const chart = await loadChart(await readChartFolder(join(folder, 'input/c')), 'c');
  const expected = parseImagesLock(readGoldenText('dt-lock/platforms-filter/output/c/Images.lock'), 'x');
  const { steps } = JSON.parse(readGoldenText('dt-lock/platforms-filter/case.json')) as { steps: { argv: string[] }[] };
  const argv = steps[0]?.argv ?? [];
  const wanted = (argv[argv.indexOf('--platforms') + 1] ?? '').split(',').map(parsePlatform);
  for (const [position, { image }] of readChartImages(chart).entries()) {
    const digests = lockDigestsOf(resolveImage(image), image, wanted).map(({ digest, arch }) => ({ digest, arch }));
    assert.deepEqual(digests, expected.images[position]?.digests);
  }
});

const ERRORS: Readonly<Record<string, string>> = {
  'dt-lock/dependencies-all-missing': 'DT_DEPENDENCY_MISSING',
  'defects/lock-missing-one-dependency-unnoticed': 'DT_DEPENDENCY_MISSING',
  'dt-lock/error-bad-reference': 'DT_BAD_REFERENCE',
};
for (const [path, code] of Object.entries(ERRORS)) {
  test(`${path} fails with ${code}`, async () => {
    const chart = await loadChart(await readChartFolder(join(GOLDEN_FOLDER, path, 'input/c')), 'c');
    assert.throws(() => readChartImages(chart).map(({ image }) => lockDigestsOf(resolveImage(image), image)), { code });
  });
}
