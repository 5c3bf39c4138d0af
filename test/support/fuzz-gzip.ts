import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import { gzipTrailer } from '../../src/archive/gzip-member.ts';
import { crc32 } from 'node:zlib';
import { joinMembers, takeMembers, type WrapMember } from './fuzz-members.ts';
import type { FuzzSeed } from './fuzz-seeds.ts';
import type { Random } from './random.ts';

type Reframe = (content: Buffer, random: Random) => Buffer;

/** What RFC 1952 allows, and what it does not. https://www.rfc-editor.org/rfc/rfc1952#section-2.3 */
const REFRAMES: readonly Reframe[] = [
  // FTEXT, FHCRC, FEXTRA, FNAME, FCOMMENT and reserved bits, with and without what they announce.
  (content, random) => member(content, { flags: random.below(256), extra: Buffer.alloc(0) }),
  (content, random) => member(content, { flags: 4, extra: extraField(random) }),
  (content, random) => member(content, { flags: 8, extra: Buffer.from(`${'n'.repeat(random.below(100_000))}\0`) }),
  (content, random) => member(content, { trailer: gzipTrailer(random.below(2 ** 32), content.length) }),
  (content) => member(content, { trailer: gzipTrailer(crc32(content), content.length + 1) }),
  (content) => member(content, { trailer: Buffer.alloc(0) }),
  (content, random) => Buffer.concat([gzipSync(content), random.bytes(random.below(100))]),
  (content, random) => Buffer.concat([gzipSync(content), Buffer.alloc(random.below(2_000))]),
  (content) => Buffer.concat([gzipSync(Buffer.alloc(0)), gzipSync(content), gzipSync(Buffer.alloc(0))]),
  (content, random) => {
    const at = random.below(content.length + 1);
    return Buffer.concat([gzipSync(content.subarray(0, at)), gzipSync(content.subarray(at))]);
  },
  (content) => Buffer.concat([gzipSync(content), gzipSync(content)]),
  (content) => gzipSync(gzipSync(content)),
  (content, random) => gzipSync(content, { level: random.below(10) }),
  (content) => content,
];

/** One member, or the whole of a foreign wrap, in another frame. */
export async function forgeGzip(seed: FuzzSeed, random: Random): Promise<Buffer> {
  const reframe = random.pick(REFRAMES);
  if (seed.isForeign) return reframe(gunzipSync(seed.wrap), random);
  const taken = await takeMembers(seed.wrap);
  const victim: WrapMember = random.pick(taken.members);
  const members = taken.members.map((item) =>
    item === victim ? { ...item, bytes: reframe(gunzipSync(item.bytes), random) } : item,
  );
  return joinMembers({ ...taken, members });
}

function member(
  content: Buffer,
  { flags = 0, extra = Buffer.alloc(0), trailer }: { flags?: number; extra?: Buffer; trailer?: Buffer },
): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 0xff]);
  return Buffer.concat([
    header,
    extra,
    deflateRawSync(content),
    trailer ?? gzipTrailer(crc32(content), content.length),
  ]);
}

function extraField(random: Random): Buffer {
  const field = Buffer.alloc(2 + random.below(200));
  field.writeUInt16LE(random.pick([field.length - 2, 0xffff, 0]));
  return field;
}
