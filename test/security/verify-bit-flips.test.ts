import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { FOOTER_BYTES } from '../../src/archive/gzip-member.ts';
import { DtError, EXIT_CODES } from '../../src/domain/errors.ts';
import { createRandom, SEED } from '../support/random.ts';
import { assertDamaged, verifyBytes } from '../support/verify-wrap.ts';
import { makeHonestWrap } from '../support/hostile-wraps.ts';

const FLIPS = 250;

interface Place {
  readonly offset: number;
  readonly length: number;
  readonly path?: string;
}

/** The members as the wrap's own table of contents has them, and the last one. */
function listMembers(wrap: Buffer): Place[] {
  const tail = gunzipSync(wrap).toString('latin1');
  const { members } = JSON.parse(/\{"members".*\}/.exec(tail)?.[0] ?? '') as { members: [number, number, string?][] };
  const places = members.map(([offset, length, path]) => ({ offset, length, ...(path === undefined ? {} : { path }) }));
  const end = (places.at(-1)?.offset ?? 0) + (places.at(-1)?.length ?? 0);
  return [...places, { offset: end, length: wrap.length - end }];
}

test('a flipped bit is found in every part of every kind of member', async () => {
  const wrap = await makeHonestWrap();
  const members = listMembers(wrap);
  const large = members.find(({ path }) => path?.includes('/blobs/') === true);
  const chartFile = members.find(({ path }) => path?.endsWith('/files/large.bin') === true);
  const [first] = members;
  const last = members.at(-1);
  assert.ok(large !== undefined && chartFile !== undefined && first !== undefined && last !== undefined);
  const parts: Readonly<Record<string, number>> = {
    'header of the first member': first.offset + 4,
    'time stamp of the first member': first.offset + 5,
    'deflated bytes of the first member': first.offset + 200,
    'checksum of the first member': first.offset + first.length - 8,
    'length of the first member': first.offset + first.length - 4,
    'header of a blob': large.offset + 9,
    'block header of a blob': large.offset + 11,
    'tar header of a blob': large.offset + 15 + 100,
    'padding of the tar header of a blob': large.offset + 15 + 505,
    'bytes of a blob': large.offset + 2000,
    'second block header of a blob': large.offset + 10 + 5 + 65_535 + 1,
    'padding of a blob': large.offset + large.length - 8 - 1,
    'checksum of a blob': large.offset + large.length - 8,
    'length of a blob': large.offset + large.length - 1,
    'bytes of a large file of the chart': chartFile.offset + 20_000,
    'padding of a large file of the chart': chartFile.offset + chartFile.length - 8 - 1,
    'header of the last member': last.offset + 8,
    'deflated bytes of the last member': last.offset + 40,
    'checksum of the last member': wrap.length - FOOTER_BYTES - 3,
  };
  for (const [name, at] of Object.entries(parts)) {
    const flipped = Buffer.from(wrap);
    flipped.writeUInt8(flipped.readUInt8(at) ^ 2, at);
    await assert.rejects(verifyBytes(flipped), (error: DtError) => error.exitCode === EXIT_CODES.verification, name);
  }
  const flipped = Buffer.from(wrap);
  flipped.writeUInt8(flipped.readUInt8(large.offset + 2000) ^ 2, large.offset + 2000);
  const image = 'library/multi:1.0';
  await assertDamaged(flipped, { code: 'DT_WRAP_INVALID', entry: large.path ?? '', image });
});

test(`a flipped bit anywhere is found, or changes nothing (seed ${String(SEED)})`, async () => {
  const wrap = await makeHonestWrap();
  const content = gunzipSync(wrap);
  const random = createRandom(SEED);
  let accepted = 0;
  for (let i = 0; i < FLIPS; i++) {
    const at =
      i % 2 === 0 ? random.below(wrap.length) : random.pick([random.below(4000), wrap.length - 1 - random.below(1500)]);
    const bit = random.below(8);
    const flipped = Buffer.from(wrap);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
    const where = `bit ${String(bit)} of byte ${String(at)}`;
    try {
      await verifyBytes(flipped);
    } catch (error) {
      assert.ok(error instanceof DtError, `${where}: ${error instanceof Error ? String(error.stack) : String(error)}`);
      assert.equal(error.exitCode, EXIT_CODES.verification, `${where}: ${error.code}`);
      continue;
    }
    accepted++;
    // The last bits of a deflated stream may be anything.
    assert.ok(gunzipSync(flipped).equals(content), `${where}: other bytes were accepted`);
  }
  assert.ok(accepted <= 2, `${String(accepted)} flips were not noticed`);
});
