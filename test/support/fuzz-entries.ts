import { gzipSync } from 'node:zlib';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { forgeJson } from './fuzz-json.ts';
import type { FuzzSeed } from './fuzz-seeds.ts';
import { assembleWrap, piece, tarOf, type WrapPiece } from './hostile-wraps.ts';
import type { Random } from './random.ts';

const END_OF_ARCHIVE = Buffer.alloc(1024);
const LARGE_BYTES = 64 * 1024;
const HOSTILE_NAMES = [
  ...[
    '../x',
    '/x',
    'x',
    '.',
    '..',
    'a/../../x',
    'demo-1.2.3',
    'demo-1.2.3/',
    'demo-1.2.3/chart',
    'C:/x',
    'a\\b',
    'a\nb',
    'x/'.repeat(2_000),
  ],
  ...[
    'demo-1.2.3/.dt/wrap.json',
    'other-1.2.3/.dt/wrap.json',
    'a/.dt/toc.json',
    'demo-1.2.3/chart/Images.lock',
    'demo-1.2.3/Images.lock',
  ],
  ...[
    'demo-1.2.3/./chart/Chart.yaml',
    'demo-1.2.3//chart/Chart.yaml',
    'x/chart/Chart.yaml',
    'demo-1.2.3/chart/charts/sub/Chart.yaml',
  ],
  ...[
    'demo-1.2.3/artifacts/chart/metadata/index.json',
    'demo-1.2.3/artifacts/images/../../../x/index.json',
    'é'.repeat(120),
  ],
];
const TYPES = [
  'file',
  'directory',
  'link',
  'symlink',
  'character-device',
  'block-device',
  'fifo',
  'contiguous-file',
] as const;
const BLOB_NAME = /\/blobs\/sha256\/([a-f0-9]{64})$/;

export function isDocument({ header, content }: WrapPiece): boolean {
  return (header.type ?? 'file') === 'file' && content.length < LARGE_BYTES;
}

/** Puts entries together in the form of the seed, some of ours without a table of contents. */
export async function buildWrap(seed: FuzzSeed, pieces: readonly WrapPiece[], random: Random): Promise<Buffer> {
  if (seed.isForeign) return gzipSync(Buffer.concat([await tarOf(pieces), END_OF_ARCHIVE]));
  return assembleWrap(pieces, { isPlain: random.below(20) === 0 });
}

/** Entries swapped, repeated, lost, renamed, of another type, at another place. */
export function shuffleEntries(source: readonly WrapPiece[], random: Random): WrapPiece[] {
  const pieces = [...source];
  for (let count = 1 + random.below(2); count > 0; count--) {
    const at = random.below(pieces.length);
    const [victim, other] = [pieces[at] as WrapPiece, random.pick(pieces)];
    const from = pieces.indexOf(other);
    switch (random.below(8)) {
      case 0:
        pieces[at] = { ...victim, content: other.content };
        pieces[from] = { ...other, content: victim.content };
        break;
      case 1:
        pieces.splice(random.below(pieces.length), 0, {
          ...victim,
          content: random.pick([victim.content, other.content, Buffer.alloc(0)]),
        });
        break;
      case 2:
        pieces.splice(at, 1);
        break;
      case 3:
        pieces[at] = {
          ...victim,
          header: { ...victim.header, name: random.pick([...HOSTILE_NAMES, other.header.name]) },
        };
        break;
      case 4:
        pieces[at] = withType(victim, random.pick(TYPES), random.pick([other.header.name, ...HOSTILE_NAMES]));
        break;
      case 5:
        pieces.splice(at, 1);
        pieces.splice(random.below(pieces.length + 1), 0, victim);
        break;
      case 6:
        pieces[at] = { ...victim, isLarge: victim.content.length < LARGE_BYTES };
        break;
      default:
        pieces.push(piece(random.pick(HOSTILE_NAMES), random.pick([other.content, Buffer.alloc(0)])));
    }
    if (pieces.length === 0) return [...source];
  }
  // The library that writes them takes content for files only, and links need a target.
  return pieces.map((item) => ((item.header.type ?? 'file') === 'file' ? item : { ...item, content: Buffer.alloc(0) }));
}

function withType({ header, content }: WrapPiece, type: (typeof TYPES)[number], linkname: string): WrapPiece {
  return { header: { ...header, type, linkname }, content: content };
}

/** A document forged, with its digest right wherever it is named: what a forger with time would do. */
export function forgeConsistently(source: readonly WrapPiece[], random: Random): WrapPiece[] {
  let pieces = [...source];
  const documents = pieces.filter((item) => BLOB_NAME.test(item.header.name) && item.content[0] === 0x7b);
  if (documents.length === 0) return pieces;
  const victim = random.pick(documents);
  const forged = Buffer.from(JSON.stringify(forgeJson(JSON.parse(victim.content.toString()), random)));
  const queue: (readonly [from: string, to: string, size: number])[] = [];
  const replace = (hex: string, content: Buffer): void => {
    const next = digestOf(content).slice('sha256:'.length);
    queue.push([hex, next, content.length]);
    pieces = pieces.map((item) =>
      BLOB_NAME.exec(item.header.name)?.[1] === hex
        ? { ...item, content: item.content.length === 0 ? item.content : content }
        : item,
    );
  };
  replace(BLOB_NAME.exec(victim.header.name)?.[1] ?? '', forged);
  // Parents change with their children, up to the root; a bound keeps a document that names itself from going round.
  for (let step = 0; step < queue.length && step < 50; step++) {
    const [from, to, size] = queue[step] as (typeof queue)[number];
    for (const item of [...pieces].filter((candidate) => isDocument(candidate) && candidate.content.includes(from))) {
      const content = renameIn(item.content, from, to, size);
      const own = BLOB_NAME.exec(item.header.name)?.[1];
      if (own !== undefined && own !== from) replace(own, content);
      else pieces = pieces.map((other) => (other.header.name === item.header.name ? { ...other, content } : other));
    }
    pieces = pieces.map(({ header, ...rest }) => ({
      ...rest,
      header: {
        ...header,
        name: header.name.replaceAll(from, to),
        ...(typeof header.linkname === 'string' ? { linkname: header.linkname.replaceAll(from, to) } : {}),
      },
    }));
  }
  return pieces;
}

/** A digest replaced in a text, with the size that stands beside it in a JSON document. */
function renameIn(content: Buffer, from: string, to: string, size: number): Buffer {
  const text = content.toString('utf8').replaceAll(from, to);
  try {
    return Buffer.from(
      JSON.stringify(JSON.parse(text), (_, value: unknown) =>
        typeof value === 'object' &&
        value !== null &&
        'digest' in value &&
        'size' in value &&
        String(value.digest).endsWith(to)
          ? { ...value, size }
          : value,
      ),
    );
  } catch {
    return Buffer.from(text);
  }
}
