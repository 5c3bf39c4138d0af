import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_INDEX_DEPTH } from '../../../src/content/read-graph.ts';
import { readLeaves } from '../../../src/content/read-leaves.ts';
import type { IndexLeaf } from '../../../src/domain/lock/lock-platforms.ts';
import type { ManifestContent } from '../../../src/domain/oci/descriptor.ts';
import { parseManifest } from '../../../src/domain/oci/manifest.ts';
import { MEDIA_TYPE_OCI_CONFIG, MEDIA_TYPE_OCI_MANIFEST } from '../../../src/domain/oci/media-types.ts';
import { formatPlatform, parsePlatform } from '../../../src/domain/oci/platform.ts';
import { addBlob, addImage, addIndex, addManifest, CountingStore } from './content-fixtures.ts';

const OPTIONS = { concurrency: 2 };

async function listLeaves(store: CountingStore, root: ManifestContent): Promise<IndexLeaf[]> {
  const index = parseManifest(root);
  assert.ok(index.kind === 'index');
  return readLeaves(store, index, OPTIONS);
}

const textOf = ({ platform, indexes }: IndexLeaf): string =>
  `${platform === undefined ? 'none' : formatPlatform(platform)} ${String(indexes.length)}`;

test('leaves of inner indexes stand in their place, with the platform of the entry that leads to them', async () => {
  const store = new CountingStore();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => addImage(store, name, [name]).descriptor);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const inner = addIndex(store, [{ ...b, platform: parsePlatform('linux/arm/v7') }, c]);
  const root = addIndex(store, [
    { ...a, platform: parsePlatform('linux/amd64') },
    { ...inner.descriptor, platform: parsePlatform('linux/arm') },
  ]);
  const leaves = await listLeaves(store, root);
  assert.deepEqual(leaves.map(textOf), ['linux/amd64 0', 'linux/arm/v7 1', 'linux/arm 1']);
  assert.deepEqual(leaves[1]?.indexes, [inner.descriptor.digest]);
  assert.deepEqual(store.readManifests, [inner.descriptor.digest], 'only the inner index is read');
});

test('a platform that the index does not tell comes from the config; an artifact has none', async () => {
  const store = new CountingStore();
  const config = addBlob(store, '{"os":"linux","architecture":"arm64","variant":"v8"}', MEDIA_TYPE_OCI_CONFIG);
  const image = addManifest(store, { config, layers: [] }, MEDIA_TYPE_OCI_MANIFEST);
  const artifact = addManifest(
    store,
    { config: addBlob(store, 'not JSON', 'application/vnd.example'), layers: [] },
    MEDIA_TYPE_OCI_MANIFEST,
  );
  const leaves = await listLeaves(store, addIndex(store, [image, artifact, addBlob(store, 'bare', 'text/plain')]));
  assert.deepEqual(leaves.map(textOf), ['linux/arm64/v8 0', 'none 0', 'none 0']);
});

test('indexes that name each other again and again are refused', async () => {
  const store = new CountingStore();
  let root = addIndex(store, []);
  for (let depth = 0; depth < MAX_INDEX_DEPTH; depth++) {
    root = addIndex(
      store,
      Array.from({ length: 8 }, () => root),
    );
  }
  await assert.rejects(listLeaves(store, root), { code: 'DT_LIMIT_EXCEEDED' });
});

test('indexes nested too deep are refused', async () => {
  const store = new CountingStore();
  let root = addIndex(store, [addImage(store, 'a', ['a'])]);
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth++) root = addIndex(store, [root]);
  await assert.rejects(listLeaves(store, root), { code: 'DT_MANIFEST_INVALID' });
});
