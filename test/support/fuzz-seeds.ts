import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packChartArchive } from '../../src/archive/chart-archive.ts';
import { loadChart } from '../../src/archive/load-chart.ts';
import type { AttachedGraph } from '../../src/content/image-content.ts';
import type { ChartOrigin } from '../../src/domain/chart/chart-origin.ts';
import { buildChartTree } from '../../src/domain/chart/chart-tree.ts';
import { formatImagesLock } from '../../src/domain/lock/format-lock.ts';
import { LOCK_GENERATED_BY } from '../../src/domain/lock/images-lock.ts';
import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import {
  MEDIA_TYPE_HELM_CHART,
  MEDIA_TYPE_HELM_CONFIG,
  MEDIA_TYPE_HELM_PROVENANCE,
} from '../../src/domain/oci/media-types.ts';
import { SilentReporter } from '../../src/output/silent-reporter.ts';
import type { ImageToWrap } from '../../src/workflows/wrapping/layout-writer.ts';
import type { WrapFolder } from '../../src/workflows/wrapping/wrap-folder.ts';
import { writeWrap } from '../../src/workflows/wrapping/write-wrap.ts';
import { FuzzImages } from './fuzz-images.ts';
import { chartFiles, createTestContext, piece, takeApart, tarOf, withFolder, type WrapPiece } from './hostile-wraps.ts';
import { randomBytesOf } from './images.ts';

/** An honest wrap that mutations start from. */
export interface FuzzSeed {
  readonly name: string;
  readonly wrap: Buffer;
  /** Its entries but for the table of contents. */
  readonly pieces: readonly WrapPiece[];
  /** Made by another tool: one gzip member without a table of contents. */
  readonly isForeign: boolean;
  readonly isLight: boolean;
}

const HOST = 'source.example.com';
const LARGE = 66_000;
const SMALL = 2_000;
const TWO_PLATFORMS = ['linux/amd64', 'linux/arm64'];
const END_OF_ARCHIVE = Buffer.alloc(1024);

let madeSeeds: Promise<FuzzSeed[]> | undefined;

/** The honest wrap of this name, made once. */
export async function getFuzzSeed(name: string): Promise<FuzzSeed> {
  madeSeeds ??= makeFuzzSeeds();
  const found = (await madeSeeds).find((seed) => seed.name === name);
  if (found === undefined) throw new Error(`no wrap is called ${name}`);
  return found;
}

/** One wrap of every kind that there is; each has entries under and over the size from which they are members of their own. */
export async function makeFuzzSeeds(): Promise<FuzzSeed[]> {
  const images = new FuzzImages();
  const multi = images.addImage('multi', TWO_PLATFORMS, [
    ['shared/a', LARGE],
    ['multi', SMALL],
  ]);
  const single = images.addImage('single', ['linux/amd64'], [['single', SMALL]]);
  const [multiImage, singleImage] = [
    await images.wrapImage(`${HOST}/library/multi:1.0`, multi, images.children(multi)),
    await images.wrapImage(`${HOST}/library/single:2.0`, single, [single]),
  ];
  const signed = await signImage(images, multi);
  const demo = await makeFolder('demo', [multiImage, singleImage]);
  const attachedFolder = await makeFolder('demo', [signed, singleImage], await makeOrigin(images));
  const seeds = [
    await writeSeed('one chart', images, [demo]),
    await writeSeed('two charts', images, [
      await makeFolder('demo', [multiImage]),
      await makeFolder('other', [multiImage, singleImage]),
    ]),
    await writeSeed('container', images, [{ name: 'multi-1.0', lockText: lockOf('', [signed]), images: [signed] }]),
    await writeSeed('light', images, [
      { ...demo, images: [multiImage, singleImage].map(({ lockImage }) => ({ lockImage })) },
    ]),
    await writeSeed('filtered', images, [await makeFolder('demo', [await makeFiltered(images)])]),
    await writeSeed('attached', images, [attachedFolder]),
  ];
  const foreign = await writeSeed('compatible', images, [attachedFolder], true);
  return [
    ...seeds,
    await makeForeign('foreign', foreign.pieces, 'chart'),
    await makeForeign('foreign container', foreign.pieces, 'container'),
  ];
}

async function writeSeed(
  name: string,
  images: FuzzImages,
  folders: readonly [WrapFolder, ...WrapFolder[]],
  isCompatible = false,
): Promise<FuzzSeed> {
  return withFolder(async (folder) => {
    const outputFile = join(folder, 'seed.wrap.tgz');
    const wrapped = folders.flatMap((item) => item.images.filter((image): image is ImageToWrap => 'graph' in image));
    const attached = [
      ...wrapped.flatMap((image) => image.attached),
      ...folders.flatMap(({ chart }) => chart?.attached ?? []),
    ];
    const [first, ...others] = [...wrapped, ...attached].map(({ graph }) => graph);
    const contents = first === undefined ? [] : [{ name, store: images.store, graphs: [first, ...others] as const }];
    await new SilentReporter({ write: () => undefined, showsWarnings: false }).step('seed', async (progress) =>
      writeWrap(
        { folders, contents, outputFile, isCompatible, skipPreflight: true },
        await createTestContext({ SOURCE_DATE_EPOCH: '1700000000' }),
        progress,
      ),
    );
    const wrap = await readFile(outputFile);
    return { name, wrap, pieces: await takeApart(wrap), isForeign: false, isLight: name === 'light' };
  });
}

async function makeFolder(
  name: string,
  images: readonly ImageToWrap[],
  origin: OriginWithAttached = { origin: {}, attached: [] },
): Promise<WrapFolder> {
  const references = images.map(({ lockImage }) => lockImage.image);
  const subchart = entriesOf({
    'Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.0\n',
    'values.yaml': 'image: x\n',
  });
  const files = chartFiles(references, {
    'Chart.yaml': String(chartFiles(references)['Chart.yaml']).replace('name: demo', `name: ${name}`),
    'files/large.bin': randomBytesOf('large', LARGE),
    'charts/sub-0.1.0.tgz': await packChartArchive('sub', subchart, { mtimeSeconds: 0 }),
  });
  const tree = entriesOf(files);
  const { metadata } = await loadChart(tree, name);
  return {
    name: `${name}-1.2.3`,
    chart: { metadata, tree, discovered: [], ...origin },
    lockText: lockOf(name, images),
    images,
  };
}

function entriesOf(files: Readonly<Record<string, string | Uint8Array>>): ReturnType<typeof buildChartTree> {
  const entries = Object.entries(files).map(([path, content]) => ({
    path,
    type: 'file' as const,
    mode: 0o644,
    bytes: Buffer.from(content as Uint8Array),
  }));
  return buildChartTree(entries);
}

function lockOf(name: string, images: readonly ImageToWrap[]): string {
  const metadata = { generatedAt: '2024-01-01T00:00:00Z', generatedBy: LOCK_GENERATED_BY };
  const chart = name === '' ? { name: '', version: '', appVersion: '' } : { name, version: '1.2.3', appVersion: '4' };
  return formatImagesLock({ metadata, chart, images: images.map(({ lockImage }) => lockImage) });
}

/** With a signature, metadata and its signature, and a referrer of a platform. */
async function signImage(images: FuzzImages, root: Descriptor): Promise<ImageToWrap> {
  const [child = root] = images.children(root);
  const metadata = images.addArtifact(root.digest, 'metadata');
  const attached = [
    await images.attach(root.digest, images.addArtifact(root.digest, 'signature'), 'sig'),
    await images.attach(root.digest, metadata, 'metadata'),
    await images.attach(metadata.digest, images.addArtifact(metadata.digest, 'signature of metadata'), 'sig'),
    await images.attach(child.digest, images.addArtifact(child.digest, 'sbom')),
  ];
  return images.wrapImage(`${HOST}/library/multi:1.0`, root, images.children(root), { attached });
}

/** An index with an index in it, of which one platform is kept with its attestation. */
async function makeFiltered(images: FuzzImages): Promise<ImageToWrap> {
  const inner = images.addImage('inner', TWO_PLATFORMS, [
    ['shared/b', LARGE],
    ['inner', SMALL],
  ]);
  const [kept = inner, left = inner] = images.children(inner);
  const attestation = images.addAttestation(kept.digest);
  const nested = images.addIndex([kept, left, attestation]);
  const root = images.addIndex([nested, images.addImage('other', ['linux/s390x'], [['other', SMALL]])]);
  const digests = new Set([nested, kept, attestation].map(({ digest }) => digest));
  return images.wrapImage(`${HOST}/library/nested:3.0`, root, [kept], { kept: digests });
}

interface OriginWithAttached {
  readonly origin: ChartOrigin;
  readonly attached: readonly AttachedGraph[];
}

async function makeOrigin(images: FuzzImages): Promise<OriginWithAttached> {
  const archive = await packChartArchive(
    'demo',
    entriesOf({ 'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.2.3\n' }),
    { mtimeSeconds: 0 },
  );
  const provenance = Buffer.from('files:\n  demo-1.2.3.tgz: sha256:0\n');
  const config = Buffer.from('{"name":"demo","version":"1.2.3"}');
  const layers = [
    images.addBlob(archive, MEDIA_TYPE_HELM_CHART),
    images.addBlob(provenance, MEDIA_TYPE_HELM_PROVENANCE),
  ];
  const manifest = images.addManifest(images.addBlob(config, MEDIA_TYPE_HELM_CONFIG), layers);
  const signature = images.addArtifact(manifest.digest, 'signature of the chart');
  return {
    origin: { archive, provenance, config, manifest: images.readManifest(manifest) },
    attached: [await images.attach(manifest.digest, signature, 'sig')],
  };
}

/** As the Go tool writes them: nothing of ours, no layouts of indexes, artifacts by name. */
async function makeForeign(name: string, pieces: readonly WrapPiece[], kind: 'chart' | 'container'): Promise<FuzzSeed> {
  const inner = (path: string): string => path.slice(path.indexOf('/') + 1);
  const files = pieces.filter(({ header }) => header.type !== 'link' && !inner(header.name).startsWith('.dt/'));
  const metadata = files
    .filter(({ header }) => /\/artifacts\/images\/.*\.metadata(?:\.sig)?\//.test(header.name))
    .map((item) =>
      piece(item.header.name.replace(/artifacts\/images\/.*?\.metadata/, 'artifacts/chart/metadata'), item.content),
    );
  const lock = files.find(({ header }) => inner(header.name) === 'chart/Images.lock');
  const kept =
    kind === 'chart'
      ? [...files, ...metadata]
      : [
          piece('multi-1.0/Images.lock', lock?.content ?? ''),
          ...files.filter(({ header }) => !inner(header.name).startsWith('chart')),
        ];
  const renamed = kept.map((item) => ({
    ...item,
    header: { ...item.header, name: item.header.name.replace(/^[^/]+/, kind === 'chart' ? 'demo-1.2.3' : 'multi-1.0') },
  }));
  const wrap = gzipSync(Buffer.concat([await tarOf(renamed), END_OF_ARCHIVE]));
  return { name, wrap, pieces: renamed, isForeign: true, isLight: false };
}
