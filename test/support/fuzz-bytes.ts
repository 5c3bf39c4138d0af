import type { Random } from './random.ts';

const INTERESTING = [0, 1, 0x1f, 0x20, 0x2e, 0x2f, 0x7f, 0x80, 0xff];
const MAX_RANGE_BYTES = 2_000;
/** What means something to a reader of JSON, YAML, paths or digests. */
const TOKENS = [
  ...[
    '../',
    '/',
    './',
    '\\',
    'C:',
    '\0',
    '"',
    '{',
    '[',
    ']',
    '}',
    'null',
    'true',
    '-1',
    '0',
    '1e400',
    '9007199254740993',
  ],
  ...[
    '&a',
    '*a',
    '<<: *a',
    '!!binary ',
    '? ',
    '--- ',
    '|\n',
    '\u202e',
    '\ufeff',
    'sha256:',
    '%2e',
    ': ',
    '\n',
    '\t',
    '#',
  ],
  ...['\ud800', '__proto__', 'constructor', '{{', '@sha256:', ':latest', ' '],
];

/** One way to damage bytes. */
export type ByteMutation = (source: Buffer, random: Random) => Buffer;

/** Every way, by its name. */
export const BYTE_MUTATIONS: Readonly<Record<string, ByteMutation>> = {
  'bits flipped': (source, random) => {
    const bytes = Buffer.from(source);
    for (let count = 1 + random.below(3); count > 0 && bytes.length > 0; count--) {
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    }
    return bytes;
  },
  'bytes overwritten': (source, random) => {
    const bytes = Buffer.from(source);
    const [from, to] = pickRange(source, random);
    if (random.below(2) === 0) bytes.fill(random.pick(INTERESTING), from, to);
    else random.bytes(to - from).copy(bytes, from);
    return bytes;
  },
  truncated: (source, random) => source.subarray(0, random.below(source.length + 1)),
  'beginning cut off': (source, random) => source.subarray(random.below(source.length + 1)),
  'bytes removed': (source, random) => {
    const [from, to] = pickRange(source, random);
    return Buffer.concat([source.subarray(0, from), source.subarray(to)]);
  },
  'bytes inserted': (source, random) => {
    const at = random.below(source.length + 1);
    return Buffer.concat([source.subarray(0, at), random.bytes(1 + random.below(600)), source.subarray(at)]);
  },
  'bytes repeated': (source, random) => {
    const at = random.below(source.length + 1);
    const [from, to] = pickRange(source, random);
    return Buffer.concat([source.subarray(0, at), source.subarray(from, to), source.subarray(at)]);
  },
  'ranges swapped': (source, random) => {
    const [from, to] = pickRange(source, random);
    const at = random.below(Math.max(source.length - (to - from), 0) + 1);
    const bytes = Buffer.from(source);
    source.copy(bytes, at, from, to);
    source.copy(bytes, from, at, at + to - from);
    return bytes;
  },
  'bytes appended': (source, random) => Buffer.concat([source, random.bytes(1 + random.below(600))]),
};

export function mutateBytes(source: Buffer, random: Random): Buffer {
  return (BYTE_MUTATIONS[random.pick(Object.keys(BYTE_MUTATIONS))] as ByteMutation)(source, random);
}

/** Damages a text by its tokens, more often than by its bytes. */
export function mutateText(source: Buffer, random: Random): Buffer {
  if (random.below(3) === 0) return mutateBytes(source, random);
  const text = source.toString('utf8');
  const at = random.below(text.length + 1);
  const end = random.below(2) === 0 ? at : Math.min(text.length, at + random.below(30));
  const repeats = random.below(8) === 0 ? random.below(3_000) : 1;
  return Buffer.from(text.slice(0, at) + random.pick(TOKENS).repeat(repeats) + text.slice(end));
}

function pickRange(source: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(Math.max(source.length, 1));
  return [Math.min(from, source.length), Math.min(source.length, from + 1 + random.below(MAX_RANGE_BYTES))];
}
