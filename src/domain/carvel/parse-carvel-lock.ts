import { DtError } from '../errors.ts';
import { isYamlMap, decodeYamlText, parseYaml } from '../yaml/parse-yaml.ts';
import { BUNDLE_LOCK_KIND, type BundleLock } from './bundle-lock.ts';
import { CARVEL_API_VERSION, CARVEL_LOCK_KIND } from './carvel-lock.ts';
import { parsePinnedReference, type PinnedReference } from './pinned-reference.ts';

/** Bounds what is held in memory: a lock of ten thousand images has a tenth. */
export const MAX_CARVEL_LOCK_BYTES = 16 * 1024 * 1024;
const MAX_IMAGES = 20_000;

/** An image of an ImagesLock. */
export interface LockedCarvelImage {
  readonly reference: PinnedReference;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type CarvelLock =
  | { readonly kind: 'images'; readonly images: readonly LockedCarvelImage[] }
  | { readonly kind: 'bundle'; readonly bundle: BundleLock };

/** Reads an ImagesLock or a BundleLock, as strictly as imgpkg does. `name` is what messages call it. Throws DT_LOCK_INVALID, DT_YAML_INVALID. */
export function parseCarvelLock(bytes: Uint8Array, name: string): CarvelLock {
  const reader = new LockReader(name);
  const document = reader.map(parseYaml(decodeYamlText(bytes, name), name), 'it');
  const { apiVersion, kind } = document;
  if (apiVersion !== CARVEL_API_VERSION) {
    throw reader.refuse(`its apiVersion is ${describe(apiVersion)}, not ${CARVEL_API_VERSION}`);
  }
  if (kind === CARVEL_LOCK_KIND) {
    reader.requireFields(document, ['apiVersion', 'kind', 'images'], 'it');
    return { kind: 'images', images: reader.images(document['images']) };
  }
  if (kind !== BUNDLE_LOCK_KIND) throw reader.refuse(`its kind is ${describe(kind)}, not ${CARVEL_LOCK_KIND}`);
  reader.requireFields(document, ['apiVersion', 'kind', 'bundle'], 'it');
  return { kind: 'bundle', bundle: reader.bundle(document['bundle']) };
}

/** Reads an ImagesLock. Throws as `parseCarvelLock`, and DT_LOCK_INVALID for a BundleLock. */
export function parseImagesLock(bytes: Uint8Array, name: string): readonly LockedCarvelImage[] {
  const lock = parseCarvelLock(bytes, name);
  if (lock.kind === 'images') return lock.images;
  throw new DtError(
    'DT_LOCK_INVALID',
    `${name} is not valid: its kind is "${BUNDLE_LOCK_KIND}", not ${CARVEL_LOCK_KIND}`,
  );
}

class LockReader {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  refuse(why: string): DtError {
    return new DtError('DT_LOCK_INVALID', `${this.#name} is not valid: ${why}`);
  }

  map(value: unknown, what: string): Readonly<Record<string, unknown>> {
    if (isYamlMap(value)) return value;
    throw this.refuse(`${what} is not a map`);
  }

  requireFields(map: Readonly<Record<string, unknown>>, known: readonly string[], what: string): void {
    const unknown = Object.keys(map).find((key) => !known.includes(key));
    if (unknown !== undefined) throw this.refuse(`${what} has the unknown field "${unknown}"`);
  }

  images(value: unknown): readonly LockedCarvelImage[] {
    if (value === null || value === undefined) return [];
    if (!Array.isArray(value)) throw this.refuse('its images are not a list');
    if (value.length > MAX_IMAGES) throw this.refuse(`it has more than ${String(MAX_IMAGES)} images`);
    return value.map((item: unknown, index) => {
      const what = `image ${String(index + 1)}`;
      const entry = this.map(item, what);
      this.requireFields(entry, ['image', 'annotations'], what);
      const reference = this.#reference(entry['image'], what);
      return { reference, ...this.#annotations(entry['annotations'], what) };
    });
  }

  bundle(value: unknown): BundleLock {
    const map = this.map(value, 'its bundle');
    this.requireFields(map, ['image', 'tag'], 'its bundle');
    const { tag } = map;
    if (tag !== undefined && typeof tag !== 'string') throw this.refuse('the tag of its bundle is not a text');
    return {
      reference: this.#reference(map['image'], 'its bundle'),
      ...(tag === undefined || tag === '' ? {} : { tag }),
    };
  }

  #reference(value: unknown, what: string): PinnedReference {
    if (typeof value !== 'string') throw this.refuse(`${what} names no image`);
    const reference = parsePinnedReference(value);
    if (reference !== undefined) return reference;
    throw this.refuse(`${what}, ${describe(value)}, has no digest`);
  }

  #annotations(value: unknown, what: string): Pick<LockedCarvelImage, 'annotations'> {
    if (value === undefined || value === null) return {};
    const annotations = this.map(value, `the annotations of ${what}`);
    const wrong = Object.entries(annotations).find(([, text]) => typeof text !== 'string');
    if (wrong !== undefined) throw this.refuse(`the annotation "${wrong[0]}" of ${what} is not a text`);
    return { annotations: annotations as Readonly<Record<string, string>> };
  }
}

function describe(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 200);
}
