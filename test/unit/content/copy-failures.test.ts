import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { copyGraphs } from '../../../src/content/copy-graph.ts';
import type { CopyJob } from '../../../src/content/copy-job.ts';
import { MemoryStore } from '../../../src/content/memory-store.ts';
import { readGraph } from '../../../src/content/read-graph.ts';
import type { BlobOutcome, WriteBlobOptions } from '../../../src/content/store.ts';
import { DtError } from '../../../src/domain/errors.ts';
import type { Descriptor, ManifestContent } from '../../../src/domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../../src/domain/oci/digest.ts';
import { addImage, CountingStore, OrderedStore, RecordingStore } from './content-fixtures.ts';

const OPTIONS = { concurrency: 2 };

/** A source over a network that gives other bytes for a blob the first so many times. */
class FlakyStore extends CountingStore {
  readonly isRemote = true;
  readonly wrong = new Map<Digest, number>();

  override async openBlob(descriptor: Descriptor): Promise<Readable> {
    const stream = await super.openBlob(descriptor);
    const left = this.wrong.get(descriptor.digest) ?? 0;
    this.wrong.set(descriptor.digest, left - 1);
    return left > 0 ? Readable.from([Buffer.from('x'.repeat(descriptor.size))], { objectMode: false }) : stream;
  }
}

/** A target that refuses a blob after it has taken some of it, the first so many times. */
class RefusingStore extends RecordingStore {
  readonly refused = new Map<Digest, number>();

  override async writeBlob(
    descriptor: Descriptor,
    open: () => Promise<Readable>,
    options?: WriteBlobOptions,
  ): Promise<BlobOutcome> {
    const left = this.refused.get(descriptor.digest) ?? 0;
    if (left === 0) return super.writeBlob(descriptor, open, options);
    this.refused.set(descriptor.digest, left - 1);
    const stream = await open();
    await stream.iterator({ destroyOnReturn: false }).next();
    stream.destroy();
    throw new DtError('DT_REGISTRY_ERROR', 'refused', { side: 'destination' });
  }
}

async function createJobs(
  source: MemoryStore,
  roots: readonly ManifestContent[],
  targets: readonly MemoryStore[],
): Promise<CopyJob[]> {
  return Promise.all(
    roots.map(async (root, index): Promise<CopyJob> => {
      const target = targets[index] ?? targets[0];
      assert.ok(target !== undefined);
      return { source, target, graph: await readGraph(source, root, OPTIONS), tags: [`t${String(index)}`] };
    }),
  );
}

test('a blob that fails fails the jobs that need it, and only these', async () => {
  const source = new CountingStore();
  const roots = [
    addImage(source, 'a', ['bad', 'a']),
    addImage(source, 'b', ['bad', 'b']),
    addImage(source, 'c', ['c']),
  ];
  const attempted: Digest[] = [];
  const target = new (class extends RecordingStore {
    override async writeManifest(...args: Parameters<MemoryStore['writeManifest']>): Promise<void> {
      attempted.push(args[0].descriptor.digest);
      await super.writeManifest(...args);
    }
  })();
  const jobs = await createJobs(source, roots, [target]);
  source.blobs.delete(digestOf('bad'));
  const { failures } = await copyGraphs(jobs, OPTIONS);
  assert.deepEqual(
    jobs.map((job) => failures.get(job)?.code),
    ['DT_NOT_FOUND', 'DT_NOT_FOUND', undefined],
  );
  assert.deepEqual([...target.tags.keys()], ['t2']);
  assert.deepEqual(attempted, [roots[2]?.descriptor.digest]);
});

test('of a job that has failed no further blob is begun, unless another job needs it', async () => {
  const source = new CountingStore();
  const roots = [addImage(source, 'a', ['the largest one', 'only a', 'shared']), addImage(source, 'b', ['shared'])];
  const target = new RecordingStore();
  const jobs = await createJobs(source, roots, [target]);
  source.blobs.delete(digestOf('the largest one'));
  const { failures } = await copyGraphs(jobs, { concurrency: 1 });
  assert.equal(failures.size, 1);
  assert.ok(!source.opened.includes(digestOf('only a')));
  assert.ok(source.opened.includes(digestOf('shared')));
});

test('a blob that one source lacks comes from another that has it', async () => {
  const [left, right] = [new CountingStore({ name: 'left' }), new CountingStore({ name: 'right' })];
  const roots = [addImage(left, 'a', ['shared']), addImage(right, 'b', ['shared'])];
  const target = new RecordingStore();
  const jobs = [
    ...(await createJobs(left, roots.slice(0, 1), [target])),
    ...(await createJobs(right, roots.slice(1), [target])),
  ];
  left.blobs.delete(digestOf('shared'));
  assert.equal((await copyGraphs(jobs, OPTIONS)).failures.size, 0);
});

test('a failed manifest fails its job only', async () => {
  const source = new CountingStore();
  const roots = [addImage(source, 'a', ['a']), addImage(source, 'b', ['b'])];
  const strict = new (class extends RecordingStore {
    override writeManifest(): Promise<void> {
      return Promise.reject(new DtError('DT_TAG_EXISTS', 'immutable'));
    }
  })();
  const jobs = await createJobs(source, roots, [strict, new RecordingStore({ name: 'other' })]);
  const { failures } = await copyGraphs(jobs, OPTIONS);
  assert.deepEqual(
    jobs.map((job) => failures.get(job)?.code),
    ['DT_TAG_EXISTS', undefined],
  );
});

test('wrong bytes from a remote source are asked for once more, those of a file are not', async () => {
  for (const [wrongTimes, isFine, tries] of [
    [1, true, 2],
    [2, false, 2],
  ] as const) {
    const source = new FlakyStore();
    const root = addImage(source, 'a', ['layer']);
    source.wrong.set(digestOf('layer'), wrongTimes);
    const [job] = await createJobs(source, [root], [new RecordingStore()]);
    assert.ok(job !== undefined);
    const { failures } = await copyGraphs([job], OPTIONS);
    assert.equal(failures.get(job)?.code, isFine ? undefined : 'DT_DIGEST_MISMATCH');
    assert.equal(source.opened.filter((digest) => digest === digestOf('layer')).length, tries);
  }
  const file = new CountingStore();
  const [job] = await createJobs(file, [addImage(file, 'a', ['layer'])], [new RecordingStore()]);
  assert.ok(job !== undefined);
  file.blobs.set(digestOf('layer'), Buffer.from('laye!'));
  assert.equal((await copyGraphs([job], OPTIONS)).failures.get(job)?.code, 'DT_DIGEST_MISMATCH');
  assert.equal(file.opened.filter((digest) => digest === digestOf('layer')).length, 1);
});

const LARGE = 'x'.repeat(1_000_000);
const SHARED = `shared${LARGE}`;

/** Two images in a source that is one stream, and a target for each. */
async function createOrdered(): Promise<{ source: OrderedStore; jobs: CopyJob[]; targets: RefusingStore[] }> {
  const origin = new MemoryStore();
  const roots = ['a', 'b'].map((name) => addImage(origin, name, [SHARED, `${name}${LARGE}`]));
  const source = new OrderedStore([...origin.blobs.keys()], origin);
  const targets = ['a', 'b'].map((name) => new RefusingStore({ name, repository: name, mountScope: 'r' }));
  return { source, jobs: await createJobs(source, roots, targets), targets };
}

test('a target that fails once in the middle of a stream gets its blob in a second pass', async () => {
  const { source, jobs, targets } = await createOrdered();
  targets[0]?.refused.set(digestOf(`a${LARGE}`), 1);
  const { failures, blobs } = await copyGraphs(jobs, OPTIONS);
  assert.equal(failures.size, 0);
  assert.equal(source.passes, 2);
  assert.equal(blobs.written, 6);
});

test('a target that keeps failing does not keep a stream from the others', async () => {
  const { source, jobs, targets } = await createOrdered();
  targets[0]?.refused.set(digestOf(SHARED), 9);
  const { failures } = await copyGraphs(jobs, OPTIONS);
  assert.deepEqual(
    jobs.map((job) => failures.get(job)?.code),
    ['DT_REGISTRY_ERROR', undefined],
  );
  assert.equal(source.passes, 2);
  assert.deepEqual(targets[0]?.written, []);
  assert.equal(targets[1]?.tags.size, 1);
});

test('a stream that is damaged ends everything', async () => {
  const { source, jobs, targets } = await createOrdered();
  const damage = new DtError('DT_WRAP_TRUNCATED', 'cut');
  source.readBlobsInOrder = async (wanted, consume) => {
    const [digest] = wanted;
    assert.ok(digest !== undefined);
    const broken = (async function* () {
      yield await Promise.resolve(Buffer.from('s'));
      throw damage;
    })();
    await consume(digest, Readable.from(broken, { objectMode: false }));
  };
  await assert.rejects(copyGraphs(jobs, OPTIONS), { code: 'DT_WRAP_TRUNCATED' });
  assert.ok(targets.every(({ written }) => written.length === 0));
});
