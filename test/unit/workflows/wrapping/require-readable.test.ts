import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore } from '../../../../src/content/memory-store.ts';
import { MAX_CHART_BYTES, MAX_CHART_ENTRIES, type ChartEntry } from '../../../../src/domain/chart/chart-tree.ts';
import { formatImagesLock } from '../../../../src/domain/lock/format-lock.ts';
import type { LockImage } from '../../../../src/domain/lock/images-lock.ts';
import { MAX_LOCK_IMAGES, parseImagesLock } from '../../../../src/domain/lock/parse-lock.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import type { GatheredContent } from '../../../../src/workflows/wrapping/gather-images.ts';
import { requireReadable } from '../../../../src/workflows/wrapping/require-readable.ts';
import type { WrapFolder } from '../../../../src/workflows/wrapping/wrap-folder.ts';

const METADATA = { name: 'demo', version: '1.0.0', appVersion: '' };
const digest = digestOf('x');

function folderOf(images: readonly LockImage[], tree: readonly ChartEntry[] = []): WrapFolder {
  const lock = { metadata: { generatedAt: '2024-01-01T00:00:00Z' }, chart: METADATA, images };
  const metadata = { ...METADATA, dependencies: [] } as never;
  return {
    name: 'demo-1.0.0',
    chart: { metadata, tree, origin: {}, attached: [], discovery: { rendering: { state: 'skipped' }, images: [] } },
    lockText: formatImagesLock(lock),
    images: images.map((lockImage) => ({ lockImage })),
  };
}

function imagesOf(count: number, platforms: number): LockImage[] {
  const digests = Array.from({ length: platforms }, () => ({ digest, arch: 'linux/amd64' }));
  return Array.from({ length: count }, (_, index) => ({
    name: `image-${String(index)}`,
    image: `registry.example.com/project/image-${String(index)}:1.2.3`,
    chart: 'demo',
    digests,
  }));
}

function assertRefused(folder: WrapFolder, what: RegExp, contents: readonly GatheredContent[] = []): void {
  assert.throws(
    () => {
      requireReadable([folder], contents);
    },
    { code: 'DT_LIMIT_EXCEEDED', message: what },
  );
}

test('a lock with as many images as a lock may have is accepted, and can be read', () => {
  const folder = folderOf(imagesOf(MAX_LOCK_IMAGES, 3));
  requireReadable([folder], []);
  assert.equal(parseImagesLock(folder.lockText, 'Images.lock').images.length, MAX_LOCK_IMAGES);
});

test('locks that nobody could read are refused', () => {
  assertRefused(folderOf(imagesOf(MAX_LOCK_IMAGES + 1, 1)), /Images\.lock has more than 5000 images/);
  assertRefused(folderOf(imagesOf(1, 1_001)), /1000 digests of one image/);
  const tooManyNodes = folderOf(imagesOf(MAX_LOCK_IMAGES, 18));
  assertRefused(tooManyNodes, /too many images with too many platforms/);
  assert.throws(() => parseImagesLock(tooManyNodes.lockText, 'Images.lock'), { code: 'DT_LOCK_INVALID' });
});

test('a chart that is too large with its lock is refused', () => {
  const file = { type: 'file', mode: 0o644, bytes: new Uint8Array() } as const;
  const many = Array.from({ length: MAX_CHART_ENTRIES }, (_, index) => ({ ...file, path: String(index) }));
  assertRefused(folderOf([], many), /20000 files and folders of a chart/);
  const [first, ...others] = many;
  assert.ok(first !== undefined);
  requireReadable([folderOf([], others)], []);
  requireReadable([folderOf([], [...others, { ...file, path: 'Images.lock' }])], []);
  const full = { ...file, path: 'full', bytes: Buffer.alloc(MAX_CHART_BYTES) };
  assertRefused(folderOf([], [full]), /bytes of charts and locks/);
});

test('manifests and small blobs that nobody could hold in memory are refused before they are fetched', () => {
  const bytes = Buffer.alloc(6 * 1024 * 1024);
  const graphOf = (index: number) => ({
    root: { descriptor: { mediaType: 'x', digest: digestOf(String(index)), size: bytes.length }, bytes },
    manifests: [],
    blobs: [],
  });
  const images = imagesOf(11, 0).map((lockImage, index) => ({
    lockImage,
    graph: graphOf(index),
    isFiltered: false,
    attached: [],
  }));
  assertRefused({ ...folderOf([]), images }, /bytes of manifests/);
  requireReadable([{ ...folderOf([]), images: images.map((image) => ({ ...image, graph: graphOf(0) })) }], []);
  const blobs = Array.from({ length: 4_500 }, (_, index) => ({
    mediaType: 'x',
    digest: digestOf(String(index)),
    size: 60_000,
  }));
  const store = new MemoryStore({ name: 'source' });
  const content: GatheredContent = { name: 'x', store, graphs: [{ ...graphOf(0), blobs }] };
  assertRefused(folderOf([]), /bytes of small entries/, [content]);
});
