import { deflateMember } from '../../src/archive/gzip-member.ts';
import {
  aliasBomb,
  forgeDocument,
  nestedChart,
  numberedEntries,
  rebuild,
  replaceContent,
  withMember,
  withSubchart,
} from './fuzz-bomb-parts.ts';
import { withFullChart, withLinks, withManifests } from './fuzz-full-wraps.ts';
import { isDocument } from './fuzz-entries.ts';
import { fixChecksum, paxEntry } from './fuzz-headers.ts';
import { joinMembers, takeMembers } from './fuzz-members.ts';
import type { FuzzSeed } from './fuzz-seeds.ts';
import { piece, tarOf } from './hostile-wraps.ts';
import type { Random } from './random.ts';

const MIB = 1024 * 1024;

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
  'long values file': async (seed, random) => {
    const values = seed.pieces.filter(({ header }) => header.name.endsWith('/values.yaml'));
    if (values.length === 0) return seed.wrap;
    const images = Array.from(
      { length: 1 + random.below(30_000) },
      (_, index) => `image${String(index)}:\n  registry: docker.io\n  repository: a/b${String(index)}\n  tag: "1"\n`,
    );
    return replaceContent(seed, random.pick(values), Buffer.from(images.join('')));
  },
  'many links': async (seed, random) => {
    const one = await tarOf([piece('demo-1.2.3/images/x', '', { type: 'link', linkname: 'demo-1.2.3/.dt/wrap.json' })]);
    const members = Array.from({ length: random.below(70) }, (_, index) => numberedEntries(one, index));
    return withLinks(seed, Buffer.concat(members));
  },
  'chart as large as it may be': async (seed, random) => withFullChart(seed, 80 + random.below(25)),
  'many manifests': async (seed, random) => withManifests(seed, 1 + random.below(1_300)),
  'many values': async (seed, random) =>
    forgeDocument(seed, (document) => {
      document['more'] = Array.from({ length: random.below(5_000_000) }, () => random.pick([{}, []]));
    }),
};
