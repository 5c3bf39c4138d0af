import type { YamlEdit } from '../yaml/yaml-edits.ts';
import { dereference, type YamlAlias, type YamlScalar, type YamlTree } from '../yaml/yaml-tree.ts';
import type { FieldDemand, ImagePlace } from './find-image-places.ts';

/** What all images together want of the scalars and aliases of one file. */
interface Wishes {
  readonly own: ReadonlyMap<YamlScalar, string>;
  readonly aliases: ReadonlyMap<YamlAlias, string>;
  /** Every alias of a scalar. */
  readonly uses: ReadonlyMap<YamlScalar, readonly YamlAlias[]>;
}

/**
 * The edits for each image, in the same order; undefined for an image that cannot be changed alone. A scalar with an
 * anchor is changed only if all its uses want the same; else its aliases give way to plain values, and maps that merge
 * it get the key themselves.
 */
export function planImageEdits(
  tree: YamlTree,
  places: readonly ImagePlace[],
): readonly (readonly YamlEdit[] | undefined)[] {
  const wishes = collectWishes(tree, places);
  return places.map(({ demands }) => {
    const edits = demands.map((demand) => planDemand(wishes, demand));
    return edits.some((edit) => edit === undefined)
      ? undefined
      : edits.filter((edit) => edit !== undefined && edit !== 'done');
  });
}

function collectWishes(tree: YamlTree, places: readonly ImagePlace[]): Wishes {
  const own = new Map<YamlScalar, string>();
  const aliases = new Map<YamlAlias, string>();
  const uses = new Map<YamlScalar, YamlAlias[]>();
  for (const alias of tree.aliases) {
    const { target } = alias;
    if (target.kind === 'scalar') uses.set(target, [...(uses.get(target) ?? []), alias]);
  }
  for (const { node, value, merged } of places.flatMap((place) => place.demands)) {
    if (merged !== undefined) continue;
    if (node.kind === 'scalar') own.set(node, value);
    if (node.kind === 'alias') aliases.set(node, value);
  }
  return { own, aliases, uses };
}

function planDemand(wishes: Wishes, demand: FieldDemand): YamlEdit | 'done' | undefined {
  const { node, value, merged } = demand;
  const scalar = dereference(node);
  if (scalar.kind !== 'scalar') return undefined;
  if (scalar.text.trim() === value) return 'done';
  if (allUsesWant(wishes, scalar, value)) return { kind: 'set-scalar', scalar, value };
  if (merged !== undefined) {
    if (node.kind === 'alias' && wishes.aliases.get(node) === value) return { kind: 'set-alias', alias: node, value };
    const before = merged.into.pairs.find((pair) => pair.keyText === 'repository') ?? merged.into.pairs[0];
    return before === undefined ? undefined : { kind: 'insert-pair', before, key: merged.key, value };
  }
  return node.kind === 'alias' ? { kind: 'set-alias', alias: node, value } : undefined;
}

function allUsesWant(wishes: Wishes, scalar: YamlScalar, value: string): boolean {
  const aliases = wishes.uses.get(scalar) ?? [];
  return wishes.own.get(scalar) === value && aliases.every((alias) => wishes.aliases.get(alias) === value);
}
