import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LARGE_ENTRY_BYTES } from '../../../../src/archive/wrap-plan.ts';
import { MemoryStore } from '../../../../src/content/memory-store.ts';
import { readGraph, type Graph } from '../../../../src/content/read-graph.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { BaseContent } from '../../../../src/domain/wrap/base-content.ts';
import { planDelta, withoutOmitted } from '../../../../src/workflows/wrapping/delta.ts';
import { toImageContent, type GatheredImage } from '../../../../src/workflows/wrapping/gather-images.ts';
import { addImage } from '../../content/content-fixtures.ts';

const [KNOWN, SIGNED, CHARTED, FRESH] = ['known', 'signed', 'charted', 'fresh'].map((text) =>
  text.padEnd(LARGE_ENTRY_BYTES, '.'),
) as [string, string, string, string];

test('large layers that a base has are left out, but not those that something else than an image needs', async () => {
  const store = new MemoryStore({ name: 'r/a' });
  const read = async (name: string, layers: readonly string[]): Promise<Graph> =>
    readGraph(store, addImage(store, name, layers), { concurrency: 1 });
  const graph = await read('image', [KNOWN, SIGNED, CHARTED, FRESH, 'small']);
  const [subject, signature] = [graph.root.descriptor.digest, await read('signature', [SIGNED])];
  const image: GatheredImage = {
    lockImage: { name: 'a', chart: 'c', image: 'r/a:1', digests: [] },
    graph,
    isFiltered: false,
    attached: [{ artifact: { subject, digest: signature.root.descriptor.digest }, graph: signature }],
    store,
  };
  const charts = [{ name: 'c-1', store, graphs: [await read('chart', [CHARTED])] as const }];
  const base = new BaseContent([{ kind: 'wrap', name: 'b.wrap.tgz' }]);
  for (const text of [KNOWN, SIGNED, CHARTED, 'small']) {
    base.add({ digest: digestOf(text), size: text.length }, 'sources', 'r.example/a');
  }

  const delta = planDelta([image], charts, base);
  assert.deepEqual([...delta.omitted.keys()], [digestOf(KNOWN)]);
  assert.equal(delta.omittedBytes, KNOWN.length);
  const [content] = withoutOmitted([toImageContent(image)], delta);
  const digests = content?.graphs.map(({ blobs }) => blobs.map(({ digest }) => digest));
  assert.deepEqual(digests?.[0]?.slice(1), [SIGNED, CHARTED, FRESH, 'small'].map(digestOf));
  assert.ok(digests[1]?.includes(digestOf(SIGNED)));
});
