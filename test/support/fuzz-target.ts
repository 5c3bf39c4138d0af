import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { listGraphs, type AttachedGraph } from '../../src/content/image-content.ts';
import type { Graph } from '../../src/content/read-graph.ts';
import { isSequentialStore } from '../../src/content/store.ts';
import { verifyBlob } from '../../src/content/verified-stream.ts';
import { isDtError } from '../../src/domain/errors.ts';
import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import { digestOf, matchesDigest, type Digest } from '../../src/domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../../src/domain/oci/manifest.ts';
import { parseRelocationPrefix } from '../../src/domain/relocation/relocation-prefix.ts';
import type { RunContext } from '../../src/workflows/context.ts';
import { inspectWrap } from '../../src/workflows/inspect-wrap.ts';
import { openWrap } from '../../src/workflows/opening/open-wrap.ts';
import type { OpenedFolder, OpenedWrap } from '../../src/workflows/opening/opened-wrap.ts';
import { planImagePushes, type ImagePush } from '../../src/workflows/unwrapping/plan-image-pushes.ts';
import type { ChartMode } from '../../src/workflows/unwrapping/chart-plan.ts';
import { prepareUnwrap, type PreparedUnwrap } from '../../src/workflows/unwrapping/prepare-unwrap.ts';

const PREFIX = 'target.example.com/mirror';

export interface UseOptions {
  readonly chartMode: ChartMode;
  readonly isLight: boolean;
}

/**
 * Does with a wrap what `info` and `unwrap` do before the first push, and reads every blob that would be pushed. Checks that what is
 * accepted holds together, and returns a text that is the same for the same content. Throws what the product throws, and assertion errors.
 */
export async function useWrap(file: string, options: UseOptions, context: RunContext): Promise<string> {
  const information = await inspectWrap(file);
  const prepared = await prepare(file, options, context);
  try {
    const { folders } = prepared.wrap;
    assert.deepEqual(
      information.locks.map(({ lock }) => lock),
      folders.map(({ lock }) => lock),
      'info shows another lock than unwrap takes',
    );
    const images = options.isLight ? [] : await readLockedImages(folders, context);
    await readBlobs(prepared, context);
    return JSON.stringify([folders.map(describeFolder), images, prepared.charts.map(describeChart)]);
  } finally {
    await prepared.wrap.close();
  }
}

/** A wrap of single images is told by the refusal of what is for charts: to open it twice would be measured twice. */
async function prepare(file: string, options: UseOptions, context: RunContext): Promise<PreparedUnwrap> {
  const { chartMode, isLight } = options;
  try {
    const source = { file, prefix: PREFIX, valuesFiles: ['values.yaml'], skipImages: isLight, chartMode };
    return await prepareUnwrap(source, context);
  } catch (error) {
    if (!isDtError(error) || error.code !== 'DT_USAGE') throw error;
    return prepareContainer(file, context);
  }
}

async function prepareContainer(file: string, context: RunContext): Promise<PreparedUnwrap> {
  const wrap = await openWrap(file, context);
  try {
    const rule = parseRelocationPrefix(PREFIX);
    const pushes = await planImagePushes(wrap, wrap.folders, { rule, indexMode: 'auto' }, context);
    return { wrap, rule, charts: [], pushes, skipped: [] };
  } catch (error) {
    await wrap.close();
    throw error;
  }
}

/** The content of every image of the locks: each manifest has its digest, and the graph holds what the lock names. */
async function readLockedImages(folders: readonly OpenedFolder[], context: RunContext): Promise<unknown[]> {
  const found = [];
  for (const folder of folders) {
    for (const image of folder.lock.images) {
      const content = await folder.readImage(image, context);
      for (const graph of new Set(listGraphs(content)))
        checkGraph(graph, content.isFiltered || content.isRebuilt === true);
      const digests = new Set(listManifests(content.graph).map(({ descriptor }) => descriptor.digest));
      for (const { digest } of image.digests)
        assert.ok(digests.has(digest), `${image.image} lacks ${digest} of its lock`);
      found.push([image.image, content.graph.root.descriptor.digest, [...digests], digestOfAttached(content.attached)]);
    }
  }
  return found;
}

function listManifests({ root, manifests }: Graph): Graph['manifests'] {
  return [root, ...manifests];
}

/** Every manifest has its digest, and leads to nothing that the graph does not have. */
function checkGraph(graph: Graph, mayBePartial: boolean): void {
  const known = new Set(
    [...graph.manifests.map(({ descriptor }) => descriptor), ...graph.blobs].map(({ digest }) => digest),
  );
  for (const content of listManifests(graph)) {
    assert.ok(matchesDigest(content.bytes, content.descriptor.digest), 'a manifest with a wrong digest');
    assert.equal(content.bytes.length, content.descriptor.size);
    const manifest = parseManifest(content);
    if (manifest.kind === 'index' && mayBePartial) continue;
    for (const { digest, mediaType } of manifestSuccessors(manifest)) {
      if (!/nondistributable|foreign/.test(mediaType)) assert.ok(known.has(digest), `${digest} is not in the graph`);
    }
  }
}

/** Reads what would be pushed, as it is read for a push. */
async function readBlobs({ wrap, pushes, charts }: PreparedUnwrap, { signal }: RunContext): Promise<void> {
  const graphs = [
    ...pushes.flatMap(listPushedGraphs),
    ...charts.flatMap(({ attached }) => attached.map(({ graph }) => graph)),
  ];
  const wanted = new Map<Digest, Descriptor>(graphs.flatMap(({ blobs }) => blobs.map((blob) => [blob.digest, blob])));
  const check = async (stream: Parameters<typeof verifyBlob>[0], blob: Descriptor): Promise<void> => {
    const bytes = await buffer(verifyBlob(stream, blob, 'fuzzed'));
    assert.ok(matchesDigest(bytes, blob.digest), `a blob with a wrong digest: ${blob.digest}`);
  };
  if (isSequentialStore(wrap.store)) {
    const seen = new Set<Digest>();
    await wrap.store.readBlobsInOrder(new Set(wanted.keys()), async (digest, stream) => {
      seen.add(digest);
      const blob = wanted.get(digest);
      if (blob !== undefined) await check(stream, blob);
    });
    assert.equal(seen.size, wanted.size, 'a blob that was promised did not come');
  } else for (const blob of wanted.values()) await readTrusted(wrap, blob, check, signal);
  for (const { finished } of charts) {
    for (const { descriptor, bytes } of finished.packed.blobs) {
      assert.ok(matchesDigest(bytes, descriptor.digest) && bytes.length === descriptor.size, 'a wrong blob of a chart');
    }
  }
}

/** The store says that it verifies by itself, so nobody does after it. */
async function readTrusted(
  { store }: OpenedWrap,
  blob: Descriptor,
  check: (stream: Awaited<ReturnType<typeof store.openBlob>>, blob: Descriptor) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const stream = await store.openBlob(blob, { signal });
  if (store.verifiesBlobs !== true) {
    await check(stream, blob);
    return;
  }
  const bytes = await buffer(stream);
  assert.ok(matchesDigest(bytes, blob.digest), `a blob with a wrong digest: ${blob.digest}`);
  assert.equal(bytes.length, blob.size);
}

function listPushedGraphs({ graph, fallback, attached }: ImagePush): Graph[] {
  return [...listGraphs({ graph, attached }), ...(fallback === undefined ? [] : [fallback])];
}

/** Of a hundred thousand artifacts the text would take more memory than what is measured. */
function digestOfAttached(attached: readonly AttachedGraph[]): string {
  const hash = createHash('sha256');
  for (const { artifact } of attached) hash.update(JSON.stringify(artifact));
  return hash.digest('hex');
}

function describeFolder({ name, lock, chart }: OpenedFolder): unknown {
  return [name, lock, chart?.tree.map(({ path, type, mode, bytes }) => [path, type, mode, digestOf(bytes)])];
}

function describeChart({ finished, attached }: PreparedUnwrap['charts'][number]): unknown {
  const { manifest, blobs } = finished.packed;
  return [manifest.descriptor.digest, blobs.map(({ descriptor }) => descriptor.digest), digestOfAttached(attached)];
}
