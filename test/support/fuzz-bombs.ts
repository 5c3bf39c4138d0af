import { gzipSync } from 'node:zlib';
import { deflateMember } from '../../src/archive/gzip-member.ts';
import { isDocument } from './fuzz-entries.ts';
import { fixChecksum, paxEntry } from './fuzz-headers.ts';
import { joinMembers, takeMembers } from './fuzz-members.ts';
import type { FuzzSeed } from './fuzz-seeds.ts';
import { assembleWrap, editEntry, piece, tarOf, type WrapPiece } from './hostile-wraps.ts';
import type { Random } from './random.ts';

const MIB = 1024 * 1024;
const END_OF_ARCHIVE = Buffer.alloc(1024);

type Build = (seed: FuzzSeed, random: Random) => Promise<Buffer>;

/** Small files that want much memory or time. */
export const BOMBS: Readonly<Record<string, Build>> = {
  'member of zeros': async (seed, random) =>
    withMember(seed, deflateMember(Buffer.alloc((1 + random.below(60)) * MIB))),
  'many full members': async (seed, random) => {
    const zeros = deflateMember(await tarOf([piece('demo-1.2.3/chart/zeros', Buffer.alloc(MIB - 2_048))]));
    return withMember(seed, ...Array.from({ length: 20 + random.below(300) }, () => zeros));
  },
  'many different full members': async (seed, random) => {
    const members = [];
    for (let count = 100 + random.below(200); count > 0; count--) {
      members.push(
        deflateMember(
          await tarOf([
            piece(`demo-1.2.3/${random.pick(['chart', 'images'])}/${String(count)}`, Buffer.alloc(MIB - 2_048)),
          ]),
        ),
      );
    }
    return withMember(seed, ...members);
  },
  'many empty entries': async (seed, random) => {
    const one = await tarOf([piece('demo-1.2.3/chart/empty')]);
    const members = [];
    for (let count = random.below(200); count >= 0; count--) members.push(deflateMember(numberedEntries(one, count)));
    return withMember(seed, ...members);
  },
  'zero blocks': async (seed, random) =>
    withMember(seed, ...Array.from({ length: 1_000 }, () => deflateMember(Buffer.alloc(512 * (1 + random.below(4)))))),
  'long PAX record': async (seed, random) => {
    const records = Buffer.from(`${String(MIB)} path=${'a'.repeat(random.below(MIB))}\n`);
    return withMember(
      seed,
      deflateMember(
        Buffer.concat([paxEntry(records, random.pick(['x', 'g', 'L'])), await tarOf([piece('demo-1.2.3/x')])]),
      ),
    );
  },
  'size in base 256': async (seed, random) => {
    const header = Buffer.from(await tarOf([piece('demo-1.2.3/chart/huge')]));
    header.fill(0, 124, 136);
    header[124] = random.pick([0x80, 0xff]);
    header[125 + random.below(10)] = random.below(256);
    fixChecksum(header, 0);
    return withMember(seed, deflateMember(header));
  },
  'packed subchart': async (seed, random) =>
    withSubchart(seed, await nestedChart(random.below(40), random.below(300) * MIB)),
  'many packed subcharts': async (seed) => {
    const packed = await nestedChart(0, 90 * MIB);
    return rebuild(seed, [
      ...seed.pieces,
      ...Array.from({ length: 8 }, (_, index) => piece(`demo-1.2.3/chart/charts/b${String(index)}-1.tgz`, packed)),
    ]);
  },
  'YAML aliases': async (seed, random) => {
    const text = aliasBomb(9 + random.below(3), 9);
    const documents = seed.pieces.filter(({ header }) =>
      /(?:Chart\.yaml|values\.yaml|Images\.lock)$/.test(header.name),
    );
    return replaceContent(
      seed,
      random.pick(documents.length > 0 ? documents : seed.pieces.filter(isDocument)),
      Buffer.from(text),
    );
  },
  'nested YAML': async (seed, random) => {
    const depth = 1_000 + random.below(100_000);
    const documents = seed.pieces.filter(({ header }) =>
      /(?:Chart\.yaml|values\.yaml|Images\.lock)$/.test(header.name),
    );
    const text = random.pick(['[', '{a: ', '- ', '? ', '!a ', '&a ']).repeat(depth);
    return replaceContent(
      seed,
      random.pick(documents),
      Buffer.from(`images: ${random.below(2) === 0 ? '\n' : ''}${text}`),
    );
  },
  'nested JSON': async (seed, random) => {
    const documents = seed.pieces.filter((item) => isDocument(item) && item.content[0] === 0x7b);
    const depth = 1_000 + random.below(500_000);
    return replaceContent(
      seed,
      random.pick(documents),
      Buffer.from(`{"a":${'['.repeat(depth)}${random.below(2) === 0 ? ']'.repeat(depth) : ''}}`),
    );
  },
  'endless toc': async (seed, random) => {
    const taken = await takeMembers(seed.wrap);
    const count = random.below(1_000_000);
    return joinMembers(taken, { editToc: () => Array.from({ length: count }, (_, index) => [index, 1]) });
  },
  'many attached artifacts': async (seed, random) =>
    forgeDocument(seed, (document) => {
      const images = document['images'] as Record<string, unknown>[];
      const digest = (document['blobs'] as { digest: string; mediaType: string }[]).find(({ mediaType }) =>
        mediaType.includes('manifest'),
      )?.digest;
      const attached = Array.from({ length: random.below(100_000) }, () => ({ subject: digest, digest }));
      for (const image of images) image['attached'] = attached;
    }),
  'many images': async (seed, random) =>
    forgeDocument(seed, (document) => {
      const [image] = document['images'] as object[];
      document['images'] = Array.from({ length: random.below(100_000) }, (_, index) => ({
        ...image,
        name: String(index),
      }));
    }),
  'long lock': async (seed, random) => {
    const lock = seed.pieces.find(({ header }) => header.name.endsWith('/Images.lock'));
    if (lock === undefined) return seed.wrap;
    const [head = '', first = ''] = lock.content.toString().split(/(?<=^images:\n)/m);
    return replaceContent(seed, lock, Buffer.from(head + first.repeat(1 + random.below(20_000))));
  },
};

async function withMember(seed: FuzzSeed, ...bombs: readonly Buffer[]): Promise<Buffer> {
  if (seed.isForeign) return Buffer.concat([gzipSync(await tarOf(seed.pieces)), ...bombs, gzipSync(END_OF_ARCHIVE)]);
  const taken = await takeMembers(seed.wrap);
  return joinMembers({ ...taken, members: [...taken.members, ...bombs.map((bytes) => ({ bytes }))] });
}

/** As many entries as a member holds, each with another name. */
function numberedEntries(one: Buffer, member: number): Buffer {
  const headers = Array.from({ length: 2_000 }, (_, index) => {
    const header = Buffer.from(one);
    header.write(`demo-1.2.3/chart/${String(member)}/${String(index)}`, 0);
    fixChecksum(header, 0);
    return header;
  });
  return Buffer.concat(headers);
}

async function nestedChart(depth: number, zerosBytes: number): Promise<Buffer> {
  const chartFile = piece('sub/Chart.yaml', 'apiVersion: v2\nname: sub\nversion: 0.1.0\n');
  // The zeros are members of their own, so that they are made once.
  const header = Buffer.from(await tarOf([piece('sub/zeros')]));
  header.write(`${zerosBytes.toString(8).padStart(11, '0')}\0`, 124);
  fixChecksum(header, 0);
  const zeros = gzipSync(Buffer.alloc(MIB));
  let packed = Buffer.concat([
    gzipSync(Buffer.concat([await tarOf([chartFile]), header])),
    ...Array.from({ length: zerosBytes / MIB }, () => zeros),
    gzipSync(END_OF_ARCHIVE),
  ]);
  for (let level = 0; level < depth; level++) {
    packed = gzipSync(
      Buffer.concat([await tarOf([chartFile, piece('sub/charts/sub-0.1.0.tgz', packed)]), END_OF_ARCHIVE]),
    );
  }
  return packed;
}

function withSubchart(seed: FuzzSeed, packed: Buffer): Promise<Buffer> {
  return rebuild(seed, [...seed.pieces, piece('demo-1.2.3/chart/charts/bomb-1.tgz', packed)]);
}

async function rebuild(seed: FuzzSeed, pieces: readonly WrapPiece[]): Promise<Buffer> {
  return seed.isForeign ? gzipSync(Buffer.concat([await tarOf(pieces), END_OF_ARCHIVE])) : assembleWrap(pieces);
}

function replaceContent(seed: FuzzSeed, victim: WrapPiece, content: Buffer): Promise<Buffer> {
  return rebuild(
    seed,
    seed.pieces.map((item) => (item === victim ? { ...item, content } : item)),
  );
}

async function forgeDocument(seed: FuzzSeed, edit: (document: Record<string, unknown>) => void): Promise<Buffer> {
  if (seed.isForeign) return seed.wrap;
  return assembleWrap(
    editEntry(seed.pieces, '/.dt/wrap.json', (content) => {
      const document = JSON.parse(content.toString()) as Record<string, unknown>;
      edit(document);
      return JSON.stringify(document);
    }),
  );
}

function aliasBomb(levels: number, width: number): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < levels; level++) {
    lines.push(
      `a${String(level)}: &a${String(level)} [${Array.from({ length: width }, () => `*a${String(level - 1)}`).join(', ')}]`,
    );
  }
  const last = `*a${String(levels - 1)}`;
  return [...lines, `images: ${last}`, `annotations: ${last}`, `name: ${last}`, `dependencies: ${last}`, ''].join('\n');
}
