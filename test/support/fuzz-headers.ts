import type { Random } from './random.ts';

const BLOCK_BYTES = 512;
/** Name, offset and length of the fields. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
const FIELDS = [
  ...([
    ['name', 0, 100],
    ['mode', 100, 8],
    ['uid', 108, 8],
    ['size', 124, 12],
    ['mtime', 136, 12],
    ['type', 156, 1],
  ] as const),
  ...([
    ['link', 157, 100],
    ['magic', 257, 8],
    ['device', 329, 8],
    ['prefix', 345, 155],
  ] as const),
] as const;
const TEXTS = [
  '../../x',
  '/etc/passwd',
  'a\0b',
  '',
  '.',
  'C:\\x',
  'demo-1.2.3/chart/Chart.yaml',
  'demo-1.2.3/.dt/wrap.json',
  'x/\u202e',
  'x'.repeat(155),
];
const NUMBERS = [
  '77777777777',
  '00000000000',
  '-1',
  '8',
  '9999999',
  '  644 ',
  '0x10',
  '1e3',
  '00000000001',
  '10000000000',
];
const PAX_RECORDS = [
  ...[
    'path=../../x',
    'path=/x',
    'path=',
    'path=demo-1.2.3/chart/values.yaml',
    'linkpath=../../x',
    'linkpath=demo-1.2.3/.dt/wrap.json',
  ],
  ...[
    'size=-1',
    'size=0',
    'size=99999999999999',
    'size=1e9',
    'size=x',
    'mtime=1e400',
    'mode=77777',
    'uid=-1',
    'GNU.sparse.major=1',
  ],
  ...['GNU.sparse.realsize=999999999', 'hdrcharset=BINARY', 'comment=x', '=x', 'x', `path=${'a/'.repeat(3_000)}x`],
];
const TYPES = ['0', '1', '2', '3', '4', '5', '6', '7', 'x', 'g', 'L', 'K', 'S', 'D', 'A', 'V', '\0', '\u00ff'];

/** A piece of tar with hostile headers: fields that lie, PAX and GNU records in front of entries, blocks where none belong. */
export function forgeTarHeaders(source: Buffer, random: Random): Buffer {
  const starts = findHeaders(source);
  if (starts.length === 0) return source;
  const at = random.pick(starts);
  switch (random.below(6)) {
    case 0:
      return insertAt(source, at, paxEntry(listRecords(random), random.pick(['x', 'g'])));
    case 1:
      return insertAt(
        source,
        at,
        namedEntry(random.pick(['L', 'K']), `${random.pick(TEXTS).repeat(1 + random.below(40))}\0`),
      );
    case 2:
      return insertAt(source, at, Buffer.alloc(BLOCK_BYTES * (1 + random.below(3)), random.pick([0, 0, 0xff])));
    default: {
      const bytes = Buffer.from(source);
      for (let count = 1 + random.below(2); count > 0; count--) forgeField(bytes, at, random);
      if (random.below(6) > 0) fixChecksum(bytes, at);
      return bytes;
    }
  }
}

/** The checksum of the header at this offset, made right. */
export function fixChecksum(tar: Buffer, at: number): void {
  if (at + BLOCK_BYTES > tar.length) return;
  tar.fill(' ', at + 148, at + 156);
  const sum = tar.subarray(at, at + BLOCK_BYTES).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
}

/** A PAX record in an entry of its own. */
export function paxEntry(records: Buffer, type: string): Buffer {
  return headedEntry(type, records);
}

function namedEntry(type: string, text: string): Buffer {
  return headedEntry(type, Buffer.from(text));
}

function headedEntry(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write('PaxHeader', 0);
  header.write('0000644\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(type, 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  fixChecksum(header, 0);
  return Buffer.concat([header, content, Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)]);
}

function listRecords(random: Random): Buffer {
  const texts = Array.from({ length: 1 + random.below(3) }, () => random.pick(PAX_RECORDS));
  return Buffer.concat(
    texts.map((text) => {
      const length = text.length + 4;
      const written =
        random.below(5) === 0
          ? random.pick(['0', '-5', '99999999', 'x', ''])
          : String(length + String(length).length - 2);
      return Buffer.from(`${written} ${text}\n`);
    }),
  );
}

function forgeField(tar: Buffer, at: number, random: Random): void {
  const [name, offset, length] = random.pick(FIELDS);
  const field = tar.subarray(at + offset, at + offset + length);
  if (name === 'type') {
    field.write(random.pick(TYPES), 'latin1');
  } else if (['name', 'link', 'prefix', 'magic'].includes(name)) {
    field.fill(0);
    field.write(random.pick(TEXTS));
  } else if (random.below(3) === 0) {
    // Base 256: a set top bit, then a big-endian number, negative with ones in front.
    field.fill(random.pick([0, 0xff]));
    field[0] = random.pick([0x80, 0xff, 0xc0]);
    field[length - 1] = random.below(256);
  } else {
    field.fill(random.pick([0, 0x20]));
    field.write(random.pick(NUMBERS));
  }
}

function findHeaders(tar: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at + BLOCK_BYTES <= tar.length; at += BLOCK_BYTES) {
    if (tar.toString('latin1', at + 257, at + 262) === 'ustar') starts.push(at);
  }
  return starts;
}

function insertAt(source: Buffer, at: number, bytes: Buffer): Buffer {
  return Buffer.concat([source.subarray(0, at), bytes, source.subarray(at)]);
}
