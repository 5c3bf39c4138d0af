import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DtError, EXIT_CODES } from '../../src/domain/errors.ts';
import { assertNothingPushed, unwrapBytes } from '../support/assert-refused.ts';
import { createRandom, SEED } from '../support/random.ts';
import { listTags, readStoredChart } from '../support/registry-content.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { makeHonestWrap, withFolder } from '../support/hostile-wraps.ts';

const FLIPS = 200;

/** What a target holds after an unwrap: tags with their digests; registries verify what lies below them. */
async function unwrapInto(file: string): Promise<{ tags: string; error?: unknown; requests: readonly string[] }> {
  const target = await startEmbeddedRegistry();
  try {
    try {
      await unwrapBytes(file, target.host);
    } catch (error) {
      return { tags: '', error, requests: target.requests };
    }
    const tags = [...(await listTags(target.host))].filter(([name]) => name !== 'mirror/demo:1.2.3');
    const chart = await readStoredChart(target.host, 'mirror/demo', '1.2.3');
    const files = [...chart.files].map(([path, bytes]) => [
      path,
      bytes.toString('latin1').replaceAll(target.host, 'TARGET'),
    ]);
    return { tags: JSON.stringify([tags, files]), requests: target.requests };
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
      const { error, tags, requests } = await unwrapInto(file);
      const where = `bit ${String(bit)} of byte ${String(at)}`;
      if (error === undefined) {
        assert.equal(tags, honest.tags, `${where}: other bytes were accepted`);
        continue;
      }
      refused++;
      assert.ok(error instanceof DtError, `${where}: ${describe(error)}`);
      assert.equal(error.exitCode, EXIT_CODES.verification, `${where}: ${error.code}`);
      assertNothingPushed(requests, { allowBlobs: true });
    }
    assert.ok(refused > FLIPS / 2, `only ${String(refused)} of ${String(FLIPS)} flips were noticed`);
  });
});
