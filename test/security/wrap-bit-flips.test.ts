import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DtError, EXIT_CODES } from '../../src/domain/errors.ts';
import { unwrapBytes } from '../support/assert-refused.ts';
import { createRandom, SEED } from '../support/random.ts';
import { listTags, readStoredChart } from '../support/registry-content.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { makeHonestWrap, withFolder } from '../support/hostile-wraps.ts';

const FLIPS = 200;

const CHART = 'mirror/demo:1.2.3';

interface Unwrapped {
  /** Tags with their digests, but for the chart's; registries verify what lies below them. */
  readonly tags: ReadonlyMap<string, string>;
  readonly hasChart: boolean;
  readonly text: string;
  readonly error?: unknown;
}

/** What a target holds after an unwrap. */
async function unwrapInto(file: string): Promise<Unwrapped> {
  const target = await startEmbeddedRegistry();
  try {
    let failure: { readonly error: unknown } | undefined;
    try {
      await unwrapBytes(file, target.host);
    } catch (error) {
      failure = { error };
    }
    const tags = await listTags(target.host);
    const hasChart = tags.delete(CHART);
    if (failure !== undefined) return { tags, hasChart, text: '', ...failure };
    const chart = await readStoredChart(target.host, 'mirror/demo', '1.2.3');
    const files = [...chart.files].map(([path, bytes]) => [
      path,
      bytes.toString('latin1').replaceAll(target.host, 'TARGET'),
    ]);
    return { tags, hasChart, text: JSON.stringify([[...tags], files]) };
  } finally {
    await target.close();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error);
}

test(`a flipped bit is refused or harmless (seed ${String(SEED)})`, async () => {
  await withFolder(async (folder) => {
    const wrap = await makeHonestWrap();
    const file = join(folder, 'w.tgz');
    await writeFile(file, wrap);
    const honest = await unwrapInto(file);
    assert.ok(honest.error === undefined);
    const random = createRandom(SEED);
    let refused = 0;
    for (let i = 0; i < FLIPS; i++) {
      // Half of them in the first and last parts, where the structure is; layers fill most of the file.
      const at =
        i % 2 === 0
          ? random.below(wrap.length)
          : random.pick([random.below(4000), wrap.length - 1 - random.below(1500)]);
      const bit = random.below(8);
      const flipped = Buffer.from(wrap);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
      await writeFile(file, flipped);
      const { error, tags, hasChart, text } = await unwrapInto(file);
      const where = `bit ${String(bit)} of byte ${String(at)}`;
      if (error === undefined) {
        assert.equal(text, honest.text, `${where}: other bytes were accepted`);
        continue;
      }
      refused++;
      assert.ok(error instanceof DtError, `${where}: ${describe(error)}`);
      assert.equal(error.exitCode, EXIT_CODES.verification, `${where}: ${error.code}`);
      assert.equal(hasChart, false, `${where}: the chart was pushed`);
      assert.ok(tags.size < honest.tags.size, `${where}: every image was pushed`);
      for (const [name, digest] of tags)
        assert.equal(digest, honest.tags.get(name), `${where}: ${name} is another one`);
    }
    assert.ok(refused > FLIPS / 2, `only ${String(refused)} of ${String(FLIPS)} flips were noticed`);
  });
});
