import type { Digest } from '../oci/digest.ts';
import { formatRepository, parseReference } from '../oci/reference.ts';

/** An image of a wrap, however many charts name it. */
export interface ComparedImage {
  readonly reference: string;
  /** What the reference resolved to; absent where the wrap does not say. */
  readonly digest?: Digest;
  readonly platforms: readonly { readonly digest: Digest; readonly platform: string }[];
}

export interface ComparedChart {
  readonly name: string;
  readonly version: string;
}

export interface ComparedBlob {
  readonly digest: Digest;
  readonly size: number;
  /** True for what a delta may leave out: a large blob of an image. */
  readonly isOmittable: boolean;
}

/** What a comparison needs to know of a wrap. */
export interface ComparedWrap {
  readonly charts: readonly ComparedChart[];
  readonly images: readonly ComparedImage[];
  readonly blobs: readonly ComparedBlob[];
}

/** A thing under the same name that is another one in the new wrap. */
export interface Change<Item> {
  readonly old: Item;
  readonly new: Item;
}

export interface Changes<Item> {
  readonly added: readonly Item[];
  readonly removed: readonly Item[];
  readonly changed: readonly Change<Item>[];
  readonly unchangedCount: number;
}

export interface WrapDifference {
  /** By name; changed ones have another version. */
  readonly charts: Changes<ComparedChart>;
  /** By repository; changed ones have another tag or other digests. */
  readonly images: Changes<ComparedImage>;
  /** Bytes of blobs that a delta of the new wrap to the old one carries. */
  readonly deltaBytes: number;
  /** Bytes of all blobs of the new wrap. */
  readonly wholeBytes: number;
}

/** Compares two wraps; lists are sorted. */
export function compareWraps(before: ComparedWrap, after: ComparedWrap): WrapDifference {
  const known = new Set(before.blobs.filter(({ isOmittable }) => isOmittable).map(keyOfBlob));
  const blobs = [...new Map(after.blobs.map((blob) => [blob.digest, blob])).values()];
  const carried = blobs.filter((blob) => !blob.isOmittable || !known.has(keyOfBlob(blob)));
  return {
    charts: compareItems(before.charts, after.charts, CHART_RULES),
    images: compareItems(before.images, after.images, IMAGE_RULES),
    deltaBytes: sumSizes(carried),
    wholeBytes: sumSizes(blobs),
  };
}

interface ItemRules<Item> {
  /** Within this, one item may have become another. */
  readonly groupOf: (item: Item) => string;
  /** The name of an item in its group. */
  readonly nameOf: (item: Item) => string;
  readonly isSame: (left: Item, right: Item) => boolean;
}

const CHART_RULES: ItemRules<ComparedChart> = {
  groupOf: ({ name }) => name,
  nameOf: ({ version }) => version,
  isSame: () => true,
};

const IMAGE_RULES: ItemRules<ComparedImage> = {
  groupOf: ({ reference }) => formatRepository(parseReference(reference)),
  nameOf: ({ reference }) => reference,
  isSame: (left, right) =>
    left.digest !== undefined && right.digest !== undefined
      ? left.digest === right.digest
      : formatDigests(left) === formatDigests(right),
};

function compareItems<Item>(before: readonly Item[], after: readonly Item[], rules: ItemRules<Item>): Changes<Item> {
  const oldGroups = Map.groupBy(sortUnique(before, rules), rules.groupOf);
  const newGroups = Map.groupBy(sortUnique(after, rules), rules.groupOf);
  const added: Item[] = [];
  const removed: Item[] = [];
  const changed: Change<Item>[] = [];
  let unchangedCount = 0;
  for (const group of [...new Set([...oldGroups.keys(), ...newGroups.keys()])].sort()) {
    const oldItems = new Map(oldGroups.get(group)?.map((item) => [rules.nameOf(item), item]));
    const lone: Item[] = [];
    for (const item of newGroups.get(group) ?? []) {
      const name = rules.nameOf(item);
      const old = oldItems.get(name);
      oldItems.delete(name);
      if (old === undefined) lone.push(item);
      else if (rules.isSame(old, item)) unchangedCount++;
      else changed.push({ old, new: item });
    }
    // What is under no name that both have: one has become the other, as far as there are as many.
    const gone = [...oldItems.values()];
    const pairCount = Math.min(gone.length, lone.length);
    for (const [index, item] of lone.slice(0, pairCount).entries())
      changed.push({ old: gone[index] as Item, new: item });
    added.push(...lone.slice(pairCount));
    removed.push(...gone.slice(pairCount));
  }
  return { added, removed, changed, unchangedCount };
}

function sortUnique<Item>(items: readonly Item[], { groupOf, nameOf }: ItemRules<Item>): Item[] {
  const unique = [...new Map(items.map((item) => [`${groupOf(item)} ${nameOf(item)}`, item]))];
  return unique.sort(([left], [right]) => (left < right ? -1 : 1)).map(([, item]) => item);
}

function formatDigests({ platforms }: ComparedImage): string {
  return platforms
    .map(({ digest }) => digest)
    .sort()
    .join(' ');
}

function keyOfBlob({ digest, size }: ComparedBlob): string {
  return `${digest} ${String(size)}`;
}

function sumSizes(blobs: readonly ComparedBlob[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}
