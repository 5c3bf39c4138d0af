import { EXIT_CODES, type DtError, type ErrorCode } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';

/** Damages that are kept; a wrap with more of them is no better known for a longer list. */
export const MAX_DAMAGES = 1_000;

/** One thing that is wrong with a wrap. */
export interface WrapDamage {
  readonly code: ErrorCode;
  /** One sentence, which names neither the file nor the images. */
  readonly message: string;
  /** The path of the entry in the archive. */
  readonly entry?: string;
  /** What the damaged or missing content should be. */
  readonly digest?: Digest;
  /** References of the images that cannot be used because of it. */
  readonly images: readonly string[];
}

export interface DamagePlace {
  readonly entry?: string | undefined;
  readonly digest?: Digest | undefined;
  readonly image?: string | undefined;
}

interface CollectedDamage extends WrapDamage {
  readonly images: string[];
}

/** Collects what is wrong with a wrap, each thing once, with all images that it concerns. */
export class DamageList {
  readonly #damages: CollectedDamage[] = [];
  readonly #byKey = new Map<string, CollectedDamage>();
  readonly #byDigest = new Map<Digest, CollectedDamage[]>();
  #count = 0;

  /** How many there are, also those that are not kept. */
  get count(): number {
    return this.#count;
  }

  /** The first ones, `MAX_DAMAGES` at most, in the order in which they were found. */
  list(): readonly WrapDamage[] {
    return this.#damages;
  }

  add(code: ErrorCode, message: string, { entry, digest, image }: DamagePlace = {}): void {
    const key = JSON.stringify([code, message, entry, digest]);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      addOnce(known.images, image);
      return;
    }
    this.#count += 1;
    if (this.#damages.length >= MAX_DAMAGES) return;
    const damage: CollectedDamage = {
      code,
      message,
      ...(entry === undefined ? {} : { entry }),
      ...(digest === undefined ? {} : { digest }),
      images: image === undefined ? [] : [image],
    };
    this.#damages.push(damage);
    this.#byKey.set(key, damage);
    if (digest !== undefined) this.#byDigest.set(digest, [...(this.#byDigest.get(digest) ?? []), damage]);
  }

  /** The same for a failure of code that checks one thing. What is no failure of verification elsewhere is damage in a wrap. */
  addError({ code, exitCode, message }: DtError, place: DamagePlace = {}): void {
    this.add(exitCode === EXIT_CODES.verification ? code : 'DT_WRAP_INVALID', message, place);
  }

  /** Adds the image to every damage that is known of the digest; false if there is none. */
  addImage(digest: Digest, image: string): boolean {
    const known = this.#byDigest.get(digest) ?? [];
    for (const damage of known) addOnce(damage.images, image);
    return known.length > 0;
  }

  /** Content that is not there, or not what it should be: if its damage is known, the image is added to it. */
  addMissing(digest: Digest, message: string, image?: string): void {
    const isKnown = image === undefined ? this.#byDigest.has(digest) : this.addImage(digest, image);
    if (!isKnown) this.add('DT_WRAP_INCOMPLETE', message, { digest, image });
  }
}

function addOnce(images: string[], image: string | undefined): void {
  if (image !== undefined && !images.includes(image)) images.push(image);
}
