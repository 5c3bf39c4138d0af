import type { Digest } from '../oci/digest.ts';
import type { BasePlaces, WrapBase } from './wrap-base.ts';
import { MAX_BASE_PLACES } from './wrap-limits.ts';

interface SizedBlob {
  readonly digest: Digest;
  readonly size: number;
}

/** What the bases of a delta have. */
export class BaseContent {
  readonly bases: readonly WrapBase[];
  readonly #blobs = new Map<string, Readonly<Record<keyof BasePlaces, Set<string>>>>();

  constructor(bases: readonly WrapBase[]) {
    this.bases = bases;
  }

  /** Notes a blob in a repository: one that the charts name (`sources`), or one of the target registry (`targets`). */
  add(blob: SizedBlob, side: keyof BasePlaces, repository: string): void {
    const key = keyOf(blob);
    const places = this.#blobs.get(key) ?? { sources: new Set<string>(), targets: new Set<string>() };
    this.#blobs.set(key, places);
    places[side].add(repository);
  }

  /** Where a blob is, `MAX_BASE_PLACES` of each kind at most, sorted; undefined if no base has it with this size. */
  find(blob: SizedBlob): BasePlaces | undefined {
    const places = this.#blobs.get(keyOf(blob));
    if (places === undefined) return undefined;
    const choose = (repositories: ReadonlySet<string>): string[] => [...repositories].sort().slice(0, MAX_BASE_PLACES);
    return { sources: choose(places.sources), targets: choose(places.targets) };
  }
}

/** What a manifest says of the size must be what the base has, or the blobs are not the same. */
function keyOf({ digest, size }: SizedBlob): string {
  return `${digest} ${String(size)}`;
}
