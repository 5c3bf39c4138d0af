import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { copyGraphs } from '../../../src/content/copy-graph.ts';
import type { CopyJob } from '../../../src/content/copy-job.ts';
import { readGraph } from '../../../src/content/read-graph.ts';
import { DtError } from '../../../src/domain/errors.ts';
import type { ManifestContent } from '../../../src/domain/oci/descriptor.ts';
import type { Digest } from '../../../src/domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../../../src/domain/oci/manifest.ts';
import { addImage, addIndex, CountingStore, RecordingStore } from './content-fixtures.ts';

const OPTIONS = { concurrency: 8 };

/** A registry that does not find a manifest while it writes it once more. */
class InPlaceStore extends RecordingStore {
  readonly writes: string[] = [];
  readonly #busy = new Set<Digest>();

  override async writeManifest(
    content: ManifestContent,
    tags: readonly string[] = [],
    signal?: AbortSignal,
  ): Promise<void> {
    const { digest } = content.descriptor;
    this.writes.push([digest, ...tags].join(' '));
    assert.ok(!this.#busy.has(digest), 'nobody else writes it');
    this.#busy.add(digest);
    for (let turn = 0; turn < 3; turn++) {
      for (const child of manifestSuccessors(parseManifest(content))) {
        assert.ok(!this.#busy.has(child.digest), 'no child of it is written');
      }
      await nextTurn();
    }
    await super.writeManifest(content, tags, signal);
    this.#busy.delete(digest);
  }
}

test('manifests of one repository are written once, and not while something points to them', async () => {
  const source = new CountingStore();
  const [first, second] = [addImage(source, 'a', ['a']), addImage(source, 'b', ['b'])];
  const inner = addIndex(source, [first, second]);
  const outer = addIndex(source, [inner, second]);
  const target = new InPlaceStore();
  const roots = [
    [inner, ['1']],
    [inner, ['1.0']],
    [inner, ['stable']],
    [first, ['child']],
    [second, []],
    [outer, ['outer']],
    [outer, []],
  ] as const;
  const jobs = await Promise.all(
    roots.map(async ([root, tags]): Promise<CopyJob> => {
      return { source, target, graph: await readGraph(source, root, OPTIONS), tags };
    }),
  );
  const { failures } = await copyGraphs(jobs, OPTIONS);
  assert.deepEqual([...failures.values()], []);
  const untagged = target.writes.filter((write) => !write.includes(' '));
  // The outer one has its tag before the job without a tag comes.
  assert.deepEqual(untagged.toSorted(), [first, second, inner].map(({ descriptor }) => descriptor.digest).toSorted());
  assert.deepEqual(Object.fromEntries(target.tags), {
    '1': inner.descriptor.digest,
    '1.0': inner.descriptor.digest,
    stable: inner.descriptor.digest,
    child: first.descriptor.digest,
    outer: outer.descriptor.digest,
  });
});

test('stores of the same name that are not one registry are written each', async () => {
  const source = new CountingStore();
  const root = addIndex(source, [addImage(source, 'a', ['a'])]);
  const graph = await readGraph(source, root, OPTIONS);
  const targets = [new RecordingStore(), new RecordingStore()];
  await copyGraphs(
    targets.map((target) => ({ source, target, graph, tags: ['t'] })),
    OPTIONS,
  );
  for (const target of targets) assert.equal(target.tags.get('t'), root.descriptor.digest);
});

/** A registry that answers one manifest with an error. */
class FailingStore extends RecordingStore {
  readonly #digest: Digest;
  readonly #error: DtError;

  constructor(digest: Digest, error: DtError) {
    super();
    this.#digest = digest;
    this.#error = error;
  }

  override async writeManifest(
    content: ManifestContent,
    tags?: readonly string[],
    signal?: AbortSignal,
  ): Promise<void> {
    if (content.descriptor.digest === this.#digest) throw this.#error;
    await super.writeManifest(content, tags, signal);
  }
}

test('a fallback is written in place of what is refused, not of what fails otherwise', async () => {
  const source = new CountingStore();
  const image = addImage(source, 'a', ['a']);
  const [whole, part] = [addIndex(source, [image, addImage(source, 'b', ['b'])]), addIndex(source, [image])];
  const [graph, fallback] = [await readGraph(source, whole, OPTIONS), await readGraph(source, part, OPTIONS)];
  for (const isRefusal of [true, false]) {
    const error = new DtError('DT_REGISTRY_ERROR', 'no', { isRefusal });
    const target = new FailingStore(whole.descriptor.digest, error);
    const job: CopyJob = { source, target, graph, fallback, tags: ['t'] };
    assert.equal((await copyGraphs([job], OPTIONS)).failures.get(job), isRefusal ? undefined : error);
    assert.equal(target.tags.get('t'), isRefusal ? part.descriptor.digest : undefined);
  }
});
