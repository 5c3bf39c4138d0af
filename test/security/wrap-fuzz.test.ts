import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { deflateMember } from '../../src/archive/gzip-member.ts';
import { loadChart } from '../../src/archive/load-chart.ts';
import { isSequentialStore } from '../../src/content/store.ts';
import { verifyBlob } from '../../src/content/verified-stream.ts';
import { isDtError } from '../../src/domain/errors.ts';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { relocateChart } from '../../src/domain/relocation/relocate-chart.ts';
import { parseRelocationPrefix } from '../../src/domain/relocation/relocation-prefix.ts';
import { openWrap } from '../../src/workflows/open-wrap.ts';
import { createRandom, SEED, type Random } from '../support/random.ts';
import {
  assembleWrap,
  createTestContext,
  makeHonestWrap,
  tarOf,
  takeApart,
  withFolder,
  type WrapPiece,
} from '../support/hostile-wraps.ts';

/** DT_FUZZ_SECONDS lets it run for longer. */
const BUDGET_MS = Number(process.env['DT_FUZZ_SECONDS'] ?? '5') * 1000;
const MAX_ROUND_MS = 4_000;
const INTERESTING = [0, 1, 0x1f, 0x20, 0x2e, 0x2f, 0x7f, 0x80, 0xff];
const TOKENS = [
  '../',
  '/',
  '\0',
  '"',
  '{',
  '[',
  ']',
  'null',
  '-1',
  '1e400',
  '9007199254740993',
  '&a',
  '*a',
  '<<: *a',
  '\u202e',
  'sha256:',
  '%2e',
  ': ',
  '\n',
  '\ud800',
];

type Mutation = (random: Random) => Promise<{ bytes: Buffer; mayChangeChart: boolean }>;

function mutateBytes(source: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(source);
  const at = random.below(Math.max(bytes.length, 1));
  switch (random.below(6)) {
    case 0:
      bytes[at] = random.pick(INTERESTING);
      return bytes;
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(600))]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.below(40)), bytes.subarray(at)]);
    default: {
      const from = random.below(Math.max(bytes.length, 1));
      return Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(from, from + random.below(2000)),
        bytes.subarray(at),
      ]);
    }
  }
}

function mutateText(source: Buffer, random: Random): Buffer {
  if (random.below(3) === 0) return mutateBytes(source, random);
  const text = source.toString('utf8');
  const at = random.below(text.length + 1);
  const end = random.below(2) === 0 ? at : Math.min(text.length, at + random.below(30));
  return Buffer.from(text.slice(0, at) + random.pick(TOKENS) + text.slice(end));
}

function createMutations(wrap: Buffer, pieces: readonly WrapPiece[]): readonly Mutation[] {
  const isText = ({ header, content }: WrapPiece): boolean =>
    (header.type ?? 'file') === 'file' && content.length < 64 * 1024;
  const small = pieces.filter(({ header, content }) => header.type !== 'link' && content.length < 64 * 1024);
  return [
    // The file itself: checksums are wrong.
    (random) => Promise.resolve({ bytes: mutateBytes(wrap, random), mayChangeChart: false }),
    // One document: checksums are right, digests may not be.
    async (random) => {
      const victim = random.pick(pieces.filter(isText));
      const mutated = pieces.map((piece) =>
        piece === victim ? { ...piece, content: mutateText(piece.content, random) } : piece,
      );
      return { bytes: await assembleWrap(mutated, { isPlain: random.below(4) === 0 }), mayChangeChart: true };
    },
    // The tar of the small entries.
    async (random) => {
      const smallMember = deflateMember(mutateBytes(await tarOf(small), random));
      return { bytes: await assembleWrap(pieces, { smallMember }), mayChangeChart: true };
    },
    // The table of contents.
    async (random) => {
      const editToc = (members: unknown): unknown => {
        try {
          return JSON.parse(mutateText(Buffer.from(JSON.stringify(members)), random).toString('utf8')) as unknown;
        } catch {
          return [];
        }
      };
      return { bytes: await assembleWrap(pieces, { editToc }), mayChangeChart: true };
    },
  ];
}

/** Does with a wrap what unwrap does before and while it pushes. Returns what was accepted of the chart. */
async function useWrap(file: string): Promise<string> {
  const context = await createTestContext();
  const wrap = await openWrap(file, context);
  try {
    const chart = await loadChart(wrap.chartTree, 'fuzzed');
    for (const image of wrap.lock.images) {
      const graph = await wrap.readGraph(image, context);
      for (const { descriptor, bytes } of [graph.root, ...graph.manifests])
        assert.equal(digestOf(bytes), descriptor.digest);
      const wanted = new Map(graph.blobs.map((blob) => [blob.digest, blob]));
      if (isSequentialStore(wrap.store)) {
        await wrap.store.readBlobsInOrder(new Set(wanted.keys()), async (digest, stream) => {
          const blob = wanted.get(digest);
          if (blob !== undefined) assert.equal(digestOf(await buffer(verifyBlob(stream, blob, 'fuzzed'))), digest);
        });
      } else {
        for (const blob of wanted.values()) {
          assert.equal(
            digestOf(await buffer(verifyBlob(await wrap.store.openBlob(blob), blob, 'fuzzed'))),
            blob.digest,
          );
        }
      }
    }
    await relocateChart(chart, {
      prefix: parseRelocationPrefix('registry.example.com/mirror'),
      annotationKeys: ['images'],
      valuesFiles: ['values.yaml'],
      repackSubchart: () => Promise.resolve(new Uint8Array()),
    });
    return JSON.stringify(wrap.chartTree.map(({ path, type, mode, bytes }) => [path, type, mode, digestOf(bytes)]));
  } finally {
    await wrap.close();
  }
}

test(`no mutation of a wrap crashes, hangs or passes wrong bytes (seed ${String(SEED)})`, async (t) => {
  await withFolder(async (folder) => {
    const honest = await makeHonestWrap();
    const file = join(folder, 'w.tgz');
    await writeFile(file, honest);
    const honestChart = await useWrap(file);
    const mutations = createMutations(honest, await takeApart(honest));
    const deadlineMs = performance.now() + BUDGET_MS;
    let rounds = 0;
    let refused = 0;
    for (; performance.now() < deadlineMs; rounds++) {
      // Each round has a seed of its own, so that one round can be repeated alone.
      const random = createRandom(SEED + rounds);
      const { bytes, mayChangeChart } = await (mutations[rounds % mutations.length] as Mutation)(random);
      await writeFile(file, bytes);
      const startedAt = performance.now();
      try {
        const chart = await useWrap(file);
        if (!mayChangeChart) assert.equal(chart, honestChart, 'a damaged chart was accepted');
      } catch (error) {
        refused++;
        if (!isDtError(error)) {
          throw new Error(
            `seed ${String(SEED)}, round ${String(rounds)}: ${error instanceof Error ? String(error.stack) : String(error)}`,
            { cause: error },
          );
        }
      }
      const durationMs = performance.now() - startedAt;
      assert.ok(
        durationMs < MAX_ROUND_MS,
        `seed ${String(SEED)}, round ${String(rounds)} took ${durationMs.toFixed(0)} ms`,
      );
    }
    t.diagnostic(`${String(rounds)} rounds, ${String(refused)} refused, seed ${String(SEED)}`);
    assert.ok(rounds > 20, 'too few rounds to mean anything');
    assert.ok(refused > rounds / 3, 'most mutations went unnoticed');
  });
});
