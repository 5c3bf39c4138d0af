import { gunzipSync, gzipSync } from 'node:zlib';
import { BOMBS } from './fuzz-bombs.ts';
import { BYTE_MUTATIONS, mutateBytes, mutateText } from './fuzz-bytes.ts';
import { buildWrap, forgeConsistently, isDocument, shuffleEntries } from './fuzz-entries.ts';
import { forgeTarHeaders } from './fuzz-headers.ts';
import { forgeGzip } from './fuzz-gzip.ts';
import { forgeJson } from './fuzz-json.ts';
import { editMember, joinMembers, takeMembers, type WrapMember } from './fuzz-members.ts';
import type { FuzzSeed } from './fuzz-seeds.ts';
import type { WrapPiece } from './hostile-wraps.ts';
import type { Random } from './random.ts';

/** One way to make a hostile wrap of an honest one. */
export interface FuzzMutation {
  readonly kind: string;
  /** True if what is accepted must be what the seed holds: nobody made the checksums or digests right again. */
  readonly isFaithful: boolean;
  /** For wraps with a table of contents only, or for those without. Default: all. */
  readonly needs?: 'toc' | 'chart';
  readonly mutate: (seed: FuzzSeed, random: Random) => Promise<Buffer>;
}

const CHART_TEXTS = /(?:\.yaml|Images\.lock)$/;

/** Of so many cases one is a bomb: they take the most time. */
const CASES_PER_BOMB = 48;

const MUTATIONS: readonly FuzzMutation[] = [
  ...Object.entries(BYTE_MUTATIONS).map(([kind, mutate]) => ({
    kind,
    isFaithful: true,
    mutate: (seed: FuzzSeed, random: Random) => Promise.resolve(mutate(seed.wrap, random)),
  })),
  memberMutation('members swapped', swapMembers),
  memberMutation('member repeated', (members, random) =>
    members.toSpliced(random.below(members.length), 0, random.pick(members)),
  ),
  memberMutation('member removed', (members, random) => members.toSpliced(random.below(members.length), 1)),
  memberMutation('member added', (members, random) =>
    members.toSpliced(random.below(members.length + 1), 0, { bytes: gzipSync(random.bytes(random.below(2_000))) }),
  ),
  {
    kind: 'content of a member damaged',
    isFaithful: false,
    mutate: (seed, random) => editContent(seed, random, (content) => mutateBytes(content, random)),
  },
  {
    kind: 'tar headers',
    isFaithful: false,
    mutate: (seed, random) => editContent(seed, random, (content) => forgeTarHeaders(content, random)),
  },
  { kind: 'gzip framing', isFaithful: false, mutate: forgeGzip },
  {
    kind: 'footer',
    isFaithful: false,
    needs: 'toc',
    mutate: async (seed, random) =>
      joinMembers(await takeMembers(seed.wrap), {
        tocOffset: (offset) => Math.max(0, random.pick([0, offset - 1, offset + 1, random.below(offset), 2 ** 52])),
      }),
  },
  {
    kind: 'table of contents',
    isFaithful: false,
    needs: 'toc',
    mutate: async (seed, random) =>
      joinMembers(await takeMembers(seed.wrap), { editToc: (members) => forgeJson(members, random) }),
  },
  {
    kind: 'entries',
    isFaithful: false,
    mutate: (seed, random) => buildWrap(seed, shuffleEntries(seed.pieces, random), random),
  },
  documentMutation('wrap.json', /\/\.dt\/wrap\.json$/, 'toc', (content, random) => forgeContent(content, random)),
  documentMutation('text of wrap.json', /\/\.dt\/wrap\.json$/, 'toc', mutateText),
  documentMutation('manifest with a stale digest', /\/blobs\/|artifacts\/.*\.json$/, undefined, forgeContent),
  documentMutation('index.json of a layout', /\/index\.json$/, undefined, forgeContent),
  documentMutation('lock', /\/Images\.lock$/, undefined, mutateText),
  documentMutation('chart', CHART_TEXTS, 'chart', mutateText),
  documentMutation('packed subchart', /\.tgz$/, 'chart', mutateBytes),
  documentMutation('content of a packed subchart', /\.tgz$/, 'chart', (content, random) => {
    const tar = gunzipSync(content);
    return gzipSync(random.below(2) === 0 ? forgeTarHeaders(tar, random) : mutateBytes(tar, random));
  }),
  {
    kind: 'manifest with its digest right',
    isFaithful: false,
    mutate: (seed, random) => buildWrap(seed, forgeConsistently(seed.pieces, random), random),
  },
];

const BOMB_MUTATIONS: readonly FuzzMutation[] = Object.entries(BOMBS).map(([kind, mutate]) => ({
  kind: `bomb: ${kind}`,
  isFaithful: false,
  ...(/toc|many attached|many images/.test(kind) ? { needs: 'toc' as const } : {}),
  ...(/chart|YAML/.test(kind) ? { needs: 'chart' as const } : {}),
  mutate,
}));

/** How many cases are needed to have each kind once but for the bombs, each of which may take seconds. */
export const PLAIN_KINDS = MUTATIONS.length;
/** How many cases are needed to have each kind once. */
export const FUZZ_KINDS = MUTATIONS.length + BOMB_MUTATIONS.length;

/** The mutation of a case: each kind once, then over and over. */
export function selectMutation(index: number): FuzzMutation {
  const all = [...MUTATIONS, ...BOMB_MUTATIONS];
  const position = index - all.length;
  if (position < 0) return all[index] as FuzzMutation;
  const list = position % CASES_PER_BOMB === 0 ? BOMB_MUTATIONS : MUTATIONS;
  return list[(position % CASES_PER_BOMB === 0 ? position / CASES_PER_BOMB : position) % list.length] as FuzzMutation;
}

function memberMutation(
  kind: string,
  edit: (members: readonly WrapMember[], random: Random) => readonly WrapMember[],
): FuzzMutation {
  return {
    kind,
    isFaithful: false,
    needs: 'toc',
    mutate: async (seed, random) => {
      const taken = await takeMembers(seed.wrap);
      const members = edit(taken.members, random);
      return joinMembers({ ...taken, members }, random.below(2) === 0 ? {} : { listed: taken.members });
    },
  };
}

function swapMembers(members: readonly WrapMember[], random: Random): readonly WrapMember[] {
  const swapped = [...members];
  const [left, right] = [random.below(members.length), random.below(members.length)];
  [swapped[left], swapped[right]] = [swapped[right] as WrapMember, swapped[left] as WrapMember];
  // With a path that says what was there before.
  return random.below(2) === 0
    ? swapped
    : swapped.map(({ bytes }, index) => ({ ...(members[index] as WrapMember), bytes }));
}

/** One member, or all of a wrap that has one, with other content under a right checksum. */
async function editContent(seed: FuzzSeed, random: Random, edit: (content: Buffer) => Buffer): Promise<Buffer> {
  if (seed.isForeign) return gzipSync(edit(gunzipSync(seed.wrap)));
  const taken = await takeMembers(seed.wrap);
  const at = random.below(taken.members.length);
  return joinMembers({
    ...taken,
    members: taken.members.map((member, index) => (index === at ? editMember(member, edit) : member)),
  });
}

function documentMutation(
  kind: string,
  pattern: RegExp,
  needs: FuzzMutation['needs'],
  edit: (content: Buffer, random: Random) => Buffer,
): FuzzMutation {
  return {
    kind,
    isFaithful: false,
    ...(needs === undefined ? {} : { needs }),
    mutate: async (seed, random) => {
      const found = seed.pieces.filter((item) => isDocument(item) && pattern.test(item.header.name));
      if (found.length === 0) return seed.wrap;
      const victim: WrapPiece = random.pick(found);
      const pieces = seed.pieces.map((item) =>
        item === victim ? { ...item, content: edit(item.content, random) } : item,
      );
      return buildWrap(seed, pieces, random);
    },
  };
}

function forgeContent(content: Buffer, random: Random): Buffer {
  try {
    return Buffer.from(JSON.stringify(forgeJson(JSON.parse(content.toString()), random)));
  } catch {
    return mutateBytes(content, random);
  }
}
