import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { readSegmentsSync, SegmentedFile, writeSegmentsSync } from '../../../src/archive/segmented-file.ts';
import { createRandom, SEED, type Random } from '../../support/random.ts';

const ROUNDS = 40;
const OPERATIONS = 60;
const MAX_SEGMENT_BYTES = 700;

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-segments-'));
});
after(async () => rm(folder, { recursive: true, force: true }));

function cut(bytes: Buffer, random: Random): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length || parts.length === 0;) {
    const part = bytes.subarray(at, at + random.below(400));
    parts.push(part);
    at += part.length;
  }
  return parts;
}

test(`a file in pieces is read and written like one file (seed ${String(SEED)})`, async () => {
  const random = createRandom(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const story = `seed ${String(SEED)}, round ${String(round)}`;
    const lengths = Array.from({ length: 1 + random.below(6) }, () => 1 + random.below(MAX_SEGMENT_BYTES));
    const totalBytes = lengths.reduce((sum, length) => sum + length, 0);
    const paths = lengths.map((_, index) => join(folder, `${String(round)}.${String(index)}`));
    const handles = await Promise.all(paths.map(async (path) => open(path, 'w+')));
    for (const [index, handle] of handles.entries()) await handle.truncate(lengths[index]);
    const file = new SegmentedFile(handles, lengths);
    const model = Buffer.alloc(totalBytes);
    for (let operation = 0; operation < OPERATIONS; operation++) {
      const position = random.below(totalBytes + 1);
      const bytes = random.bytes(random.below(totalBytes - position + 1));
      if (random.below(2) === 0) await file.write(bytes, position);
      else writeSegmentsSync(file.segments, cut(bytes, random), position);
      bytes.copy(model, position);
      const from = random.below(totalBytes + 1);
      const parts = cut(Buffer.alloc(random.below(totalBytes + 50)), random);
      const read = random.below(2) === 0 ? await file.read(parts, from) : readSegmentsSync(file.segments, parts, from);
      const expected = model.subarray(from, from + parts.reduce((sum, part) => sum + part.length, 0));
      assert.equal(read, expected.length, story);
      assert.ok(Buffer.concat(parts).subarray(0, read).equals(expected), story);
    }
    assert.ok((await buffer(file.stream())).equals(model), story);
    await file.close();
    const pieces = await Promise.all(paths.map(async (path) => readFile(path)));
    assert.deepEqual(
      pieces.map(({ length }) => length),
      lengths,
      story,
    );
    assert.ok(Buffer.concat(pieces).equals(model), story);
  }
});

test('bytes beyond the end of the last piece are not written', async () => {
  const handles = [await open(join(folder, 'a'), 'w+'), await open(join(folder, 'b'), 'w+')];
  const file = new SegmentedFile(handles, [2, 2]);
  await assert.rejects(file.write(Buffer.from('xyz'), 2), RangeError);
  assert.throws(() => {
    writeSegmentsSync(file.segments, [Buffer.from('xyz')], 2);
  }, RangeError);
  await file.close();
  assert.deepEqual(await readFile(join(folder, 'b')), Buffer.alloc(0));
});
