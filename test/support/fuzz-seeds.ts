import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import { SilentReporter } from '../../src/output/silent-reporter.ts';
import type { ImageToWrap } from '../../src/workflows/wrapping/layout-writer.ts';
import type { WrapFolder } from '../../src/workflows/wrapping/wrap-folder.ts';
import { writeWrap } from '../../src/workflows/wrapping/write-wrap.ts';
import { lockOf, makeFolder, makeOrigin } from './fuzz-charts.ts';
import { makeForeign } from './fuzz-foreign.ts';
import { FuzzImages } from './fuzz-images.ts';
import { createTestContext, takeApart, withFolder, type WrapPiece } from './hostile-wraps.ts';

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
