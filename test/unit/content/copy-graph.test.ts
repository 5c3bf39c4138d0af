import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { copyGraphs, findTag } from '../../../src/content/copy-graph.ts';
import type { CopyJob } from '../../../src/content/copy-job.ts';
import { MemoryStore } from '../../../src/content/memory-store.ts';
import { readGraph } from '../../../src/content/read-graph.ts';
import { DtError } from '../../../src/domain/errors.ts';
import type { Descriptor, ManifestContent } from '../../../src/domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../../src/domain/oci/digest.ts';
import { addImage, addIndex, CountingStore, createRegistry, OrderedStore, RecordingStore } from './content-fixtures.ts';

const OPTIONS = { concurrency: 4 };

async function job(
  source: MemoryStore,
  root: ManifestContent,
  target: MemoryStore,
  tags: readonly string[] = ['1.0'],
): Promise<CopyJob> {
  return { source, target, graph: await readGraph(source, root, OPTIONS), tags };
}

test('copies everything below a root, each blob once, and then tags it', async () => {
  const source = new CountingStore();
  const root = addIndex(source, [addImage(source, 'a', ['shared', 'a']), addImage(source, 'b', ['shared', 'b'])]);
  const target = new RecordingStore();
  let seenBytes = 0;
  const summary = await copyGraphs([await job(source, root, target)], {
    ...OPTIONS,
    onBytes: (_blob, sizeBytes, isSent) => (seenBytes += isSent ? sizeBytes : 0),
  });
  assert.equal(new Set(source.opened).size, source.opened.length);
  assert.deepEqual(summary.blobs, { present: 0, mounted: 0, written: 5 });
  const totalBytes = [...source.blobs.values()].reduce((sum, { length }) => sum + length, 0);
  assert.equal(summary.sentBytes, totalBytes);
  assert.equal(seenBytes, totalBytes);
  assert.deepEqual([...target.tags], [['1.0', root.descriptor.digest]]);
  assert.equal(target.written.at(-1), root.descriptor.digest);
});

test('what is there already is neither opened nor sent, but counts as done', async () => {
  const source = new CountingStore();
  const root = addImage(source, 'a', ['one', 'two']);
  const target = new RecordingStore();
  await copyGraphs([await job(source, root, target)], OPTIONS);
  source.opened.length = 0;
  let seenBytes = 0;
  const summary = await copyGraphs([await job(source, root, target)], {
    ...OPTIONS,
    onBytes: (_blob, sizeBytes, isSent) => (seenBytes += isSent ? 0 : sizeBytes),
  });
  assert.deepEqual(source.opened, []);
  assert.deepEqual(summary, { blobs: { present: 3, mounted: 0, written: 0 }, sentBytes: 0, failures: new Map() });
  assert.equal(
    seenBytes,
    [...source.blobs.values()].reduce((sum, { length }) => sum + length, 0),
  );
});

test('a blob goes to one repository of a registry and is mounted into the others', async () => {
  const source = new CountingStore();
  const roots = ['a', 'b', 'c'].map((name) => addImage(source, name, ['shared', name]));
  const targets = createRegistry(['x/a', 'x/b', 'x/c']);
  const jobs = await Promise.all(roots.map(async (root, index) => job(source, root, targets[index] as MemoryStore)));
  const summary = await copyGraphs(jobs, OPTIONS);
  assert.equal(source.opened.filter((digest) => digest === digestOf('shared')).length, 1);
  assert.deepEqual(summary.blobs, { present: 0, mounted: 2, written: 7 });
});

test('a registry that refuses mounts gets the blob again', async () => {
  const source = new CountingStore();
  const roots = ['a', 'b'].map((name) => addImage(source, name, ['shared', name]));
  const targets = createRegistry(['x/a', 'x/b'], { siblings: new Map() });
  const jobs = await Promise.all(roots.map(async (root, index) => job(source, root, targets[index] as MemoryStore)));
  const summary = await copyGraphs(jobs, OPTIONS);
  assert.equal(source.opened.filter((digest) => digest === digestOf('shared')).length, 2);
  assert.deepEqual(summary.blobs, { present: 0, mounted: 0, written: 6 });
});

test('a blob with other bytes is refused, and then no manifest is written', async () => {
  for (const [bytes, code] of [
    ['tw0', 'DT_DIGEST_MISMATCH'],
    ['tw', 'DT_SIZE_MISMATCH'],
    ['twoo', 'DT_SIZE_MISMATCH'],
  ] as const) {
    const source = new CountingStore();
    const root = addImage(source, 'a', ['one', 'two']);
    source.blobs.set(digestOf('two'), Buffer.from(bytes));
    const target = new RecordingStore();
    const copyJob = await job(source, root, target);
    const { failures } = await copyGraphs([copyJob], OPTIONS);
    assert.equal(failures.get(copyJob)?.code, code);
    assert.deepEqual(target.written, []);
    assert.equal(target.blobs.has(digestOf('two')), false);
    assert.equal(target.tags.size, 0);
  }
});

test('a fatal failure aborts the siblings, and nothing new is started', async () => {
  const layers = Array.from({ length: 20 }, (_, index) => `layer ${String(index)}`);
  const aborted: Digest[] = [];
  const failing = digestOf('layer 1');
  class SlowStore extends CountingStore {
    override openBlob(
      descriptor: Descriptor,
      options: { readonly signal?: AbortSignal | undefined } = {},
    ): Promise<Readable> {
      this.opened.push(descriptor.digest);
      if (descriptor.digest === failing) return Promise.reject(new DtError('DT_DISK_FULL', 'broken'));
      return new Promise((_, reject) => {
        const { signal } = options;
        const stop = (): void => {
          aborted.push(descriptor.digest);
          reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
        };
        if (signal?.aborted === true) stop();
        else signal?.addEventListener('abort', stop, { once: true });
      });
    }
  }
  const source = new SlowStore();
  const root = addImage(source, 'a', layers);
  const target = new RecordingStore();
  await assert.rejects(copyGraphs([await job(source, root, target)], { concurrency: 30 }), {
    code: 'DT_DISK_FULL',
    message: 'broken',
  });
  assert.equal(aborted.length, source.opened.length - 1);
  assert.deepEqual(target.written, []);

  const few = new SlowStore();
  const again = await job(few, addImage(few, 'a', layers), new RecordingStore());
  await assert.rejects(copyGraphs([again], { concurrency: 21 }), { code: 'DT_DISK_FULL' });
  const [first] = few.opened;
  assert.ok(first !== undefined);
});

test('an interruption ends the copy with its own reason', async () => {
  const source = new CountingStore();
  const root = addImage(source, 'a', ['one', 'two']);
  const target = new RecordingStore();
  const controller = new AbortController();
  const copy = copyGraphs([await job(source, root, target)], {
    concurrency: 1,
    signal: controller.signal,
    onBytes: () => {
      controller.abort(new DtError('DT_INTERRUPTED', 'stop'));
    },
  });
  await assert.rejects(copy, { code: 'DT_INTERRUPTED' });
  assert.deepEqual(target.written, []);
});

test('a target that refuses an index without its children gets the other root', async () => {
  const source = new CountingStore();
  const [kept, lost] = [addImage(source, 'a', ['a']), addImage(source, 'b', ['b'])];
  const root = addIndex(source, [kept, lost]);
  const otherRoot = addIndex(source, [kept]);
  const graph = await readGraph(source, root, {
    ...OPTIONS,
    selectChild: ({ digest }) => digest === kept.descriptor.digest,
  });
  const fallback = { ...graph, root: otherRoot };
  for (const acceptSparseIndexes of [false, true]) {
    const target = new RecordingStore({ acceptSparseIndexes });
    await copyGraphs([{ source, target, graph, tags: ['t'], fallback }], OPTIONS);
    assert.equal(target.tags.get('t'), (acceptSparseIndexes ? root : otherRoot).descriptor.digest);
  }
  const strict = { source, target: new RecordingStore(), graph, tags: ['t'] };
  assert.equal((await copyGraphs([strict], OPTIONS)).failures.get(strict)?.code, 'DT_NOT_FOUND');
});

test('a source that can only be read in order is read once', async () => {
  const origin = new MemoryStore();
  const roots = ['a', 'b'].map((name) => addImage(origin, name, ['shared', name, 'present']));
  const order = [...origin.blobs.keys()].reverse();
  const source = new OrderedStore(order, origin);
  const targets = createRegistry(['x/a', 'x/b']);
  targets[0]?.blobs.set(digestOf('present'), Buffer.from('present'));
  const jobs = await Promise.all(roots.map(async (root, index) => job(source, root, targets[index] as MemoryStore)));
  const summary = await copyGraphs(jobs, OPTIONS);
  assert.equal(source.passes, 1);
  assert.deepEqual(source.opened, []);
  assert.deepEqual(summary.blobs, { present: 1, mounted: 2, written: 5 });
  assert.equal(targets[1]?.tags.get('1.0'), roots[1]?.descriptor.digest);
});

test('a source in order whose targets refuse mounts gives a blob to the second from the first', async () => {
  const origin = new MemoryStore();
  const roots = ['a', 'b'].map((name) => addImage(origin, name, ['shared', name]));
  const source = new OrderedStore([...origin.blobs.keys()], origin);
  const targets = createRegistry(['x/a', 'x/b'], { siblings: new Map() });
  const jobs = await Promise.all(roots.map(async (root, index) => job(source, root, targets[index] as MemoryStore)));
  assert.deepEqual((await copyGraphs(jobs, OPTIONS)).blobs, { present: 0, mounted: 0, written: 6 });
  assert.equal(source.passes, 1);
});

test('a source in order that lacks a blob is incomplete', async () => {
  const origin = new MemoryStore();
  const root = addImage(origin, 'a', ['one', 'two']);
  const source = new OrderedStore([digestOf('one')], origin);
  const target = new RecordingStore();
  const copyJob = await job(source, root, target);
  assert.equal((await copyGraphs([copyJob], OPTIONS)).failures.get(copyJob)?.code, 'DT_WRAP_INCOMPLETE');
  assert.deepEqual(target.written, []);
});

test('finds tags, and tells absence from failure', async () => {
  const store = new MemoryStore();
  const root = addImage(store, 'a', ['one']);
  store.tags.set('t', root.descriptor.digest);
  assert.equal(await findTag(store, 't'), root.descriptor.digest);
  assert.equal(await findTag(store, 'u'), undefined);
  store.manifests.set(root.descriptor.digest, { ...root, bytes: Buffer.from('x') });
  await assert.rejects(findTag(store, 't'), { code: 'DT_SIZE_MISMATCH' });
});
