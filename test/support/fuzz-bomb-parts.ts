import { gzipSync } from 'node:zlib';
import { fixChecksum } from './fuzz-headers.ts';
import { joinMembers, takeMembers } from './fuzz-members.ts';
import type { FuzzSeed } from './fuzz-seeds.ts';
import { assembleWrap, editEntry, piece, tarOf, type WrapPiece } from './hostile-wraps.ts';

const MIB = 1024 * 1024;
const END_OF_ARCHIVE = Buffer.alloc(1024);

/** The wrap with more members behind its own; one of another tool has them in its tar. */
export async function withMember(seed: FuzzSeed, ...bombs: readonly Buffer[]): Promise<Buffer> {
  if (seed.isForeign) return Buffer.concat([gzipSync(await tarOf(seed.pieces)), ...bombs, gzipSync(END_OF_ARCHIVE)]);
  const taken = await takeMembers(seed.wrap);
  return joinMembers({ ...taken, members: [...taken.members, ...bombs.map((bytes) => ({ bytes }))] });
}

/** As many entries as a member holds, each with another name. */
export function numberedEntries(one: Buffer, member: number): Buffer {
  const headers = Array.from({ length: 2_000 }, (_, index) => {
    const header = Buffer.from(one);
    header.write(`demo-1.2.3/chart/${String(member)}/${String(index)}`, 0);
    fixChecksum(header, 0);
    return header;
  });
  return Buffer.concat(headers);
}

/** A packed chart in packed charts, the innermost with a file of zeros. */
export async function nestedChart(depth: number, zerosBytes: number): Promise<Buffer> {
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

/** The wrap with a packed subchart in its chart. */
export function withSubchart(seed: FuzzSeed, packed: Buffer): Promise<Buffer> {
  return rebuild(seed, [...seed.pieces, piece('demo-1.2.3/chart/charts/bomb-1.tgz', packed)]);
}

/** The wrap with other entries. */
export async function rebuild(seed: FuzzSeed, pieces: readonly WrapPiece[]): Promise<Buffer> {
  return seed.isForeign ? gzipSync(Buffer.concat([await tarOf(pieces), END_OF_ARCHIVE])) : assembleWrap(pieces);
}

/** The wrap with other bytes in one entry. */
export function replaceContent(seed: FuzzSeed, victim: WrapPiece, content: Buffer): Promise<Buffer> {
  return rebuild(
    seed,
    seed.pieces.map((item) => (item === victim ? { ...item, content } : item)),
  );
}

/** The wrap with another wrap.json; one of another tool has none and stays as it is. */
export async function forgeDocument(
  seed: FuzzSeed,
  edit: (document: Record<string, unknown>) => void,
): Promise<Buffer> {
  if (seed.isForeign) return seed.wrap;
  return assembleWrap(
    editEntry(seed.pieces, '/.dt/wrap.json', (content) => {
      const document = JSON.parse(content.toString()) as Record<string, unknown>;
      edit(document);
      return JSON.stringify(document);
    }),
  );
}

/** YAML whose aliases stand for `width ** levels` nodes. */
export function aliasBomb(levels: number, width: number): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < levels; level++) {
    lines.push(
      `a${String(level)}: &a${String(level)} [${Array.from({ length: width }, () => `*a${String(level - 1)}`).join(', ')}]`,
    );
  }
  const last = `*a${String(levels - 1)}`;
  return [...lines, `images: ${last}`, `annotations: ${last}`, `name: ${last}`, `dependencies: ${last}`, ''].join('\n');
}
