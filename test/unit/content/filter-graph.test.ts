import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterGraph } from '../../../src/content/filter-graph.ts';
import { readGraph, type Graph } from '../../../src/content/read-graph.ts';
import type { ManifestContent } from '../../../src/domain/oci/descriptor.ts';
import { matchesDigest, type Digest } from '../../../src/domain/oci/digest.ts';
import { parseManifest } from '../../../src/domain/oci/manifest.ts';
import { addBlob, addImage, addIndex, CountingStore } from './content-fixtures.ts';

const OPTIONS = { concurrency: 2 };

/** An index of an image, an inner index with two images, and a bare blob; without the image `left`. */
async function readFiltered(): Promise<{ graph: Graph; left: Digest }> {
  const store = new CountingStore();
  const [first, kept, left] = ['first', 'kept', 'left'].map((name) => addImage(store, name, [name]));
  assert.ok(first !== undefined && kept !== undefined && left !== undefined);
  const inner = addIndex(store, [kept, left]);
  const root = addIndex(store, [first, inner, addBlob(store, 'bare', 'text/plain')]);
  const graph = await readGraph(store, root, {
    ...OPTIONS,
    selectChild: ({ digest }) => digest !== left.descriptor.digest,
  });
  return { graph, left: left.descriptor.digest };
}

const childrenOf = (content: ManifestContent): Digest[] => {
  const manifest = parseManifest(content);
  return manifest.kind === 'index' ? manifest.manifests.map(({ digest }) => digest) : [];
};

test('every index names only what is there, and a changed one is named by its new digest', async () => {
  const { graph, left } = await readFiltered();
  const { root, manifests, blobs } = filterGraph(graph);
  assert.notEqual(root.descriptor.digest, graph.root.descriptor.digest);
  assert.equal(blobs, graph.blobs);
  const present = new Set([
    ...manifests.map(({ descriptor }) => descriptor.digest),
    ...blobs.map(({ digest }) => digest),
  ]);
  for (const content of [root, ...manifests]) {
    assert.ok(matchesDigest(content.bytes, content.descriptor.digest));
    assert.equal(content.bytes.length, content.descriptor.size);
    for (const child of childrenOf(content)) assert.ok(present.has(child), child);
  }
  assert.equal(childrenOf(root).length, 3);
  assert.ok(!present.has(left));
});

test('a graph that lacks nothing keeps every byte', async () => {
  const store = new CountingStore();
  const root = addIndex(store, [addImage(store, 'a', ['a']), addIndex(store, [addImage(store, 'b', ['b'])])]);
  const graph = await readGraph(store, root, OPTIONS);
  assert.deepEqual(filterGraph(graph), graph);
});
