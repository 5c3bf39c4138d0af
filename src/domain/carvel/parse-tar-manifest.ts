import { DtError } from '../errors.ts';
import { JsonFields } from '../json-fields.ts';
import type { ManifestContent } from '../oci/descriptor.ts';
import { matchesDigest, type Digest } from '../oci/digest.ts';
import { isTag } from '../oci/reference.ts';
import { parsePinnedReference, type PinnedReference } from './pinned-reference.ts';
import { ROOT_BUNDLE_LABEL } from './tar-manifest.ts';

/** Indexes may hold indexes; deeper than this is an attack or a mistake. */
const MAX_DEPTH = 8;
const MAX_ITEMS = 20_000;

/** An image or index that a bundle tar holds. */
export interface TarEntryImage {
  readonly digest: Digest;
  /** Where it was fetched. */
  readonly reference: PinnedReference;
  /** As the lock named it; empty for what no lock names. */
  readonly origin: string;
  /** The tag that it shall get. */
  readonly tag?: string;
  readonly isRootBundle: boolean;
}

/** What the table of contents of a bundle tar holds by itself: everything but the layers. */
export interface TarContents {
  readonly images: readonly TarEntryImage[];
  readonly manifests: ReadonlyMap<Digest, ManifestContent>;
  readonly configs: ReadonlyMap<Digest, Uint8Array>;
}

/**
 * Reads the table of contents of a bundle tar, also of the older form without tags and labels. `name` is what messages call
 * the tar. Throws DT_WRAP_INVALID, DT_DIGEST_MISMATCH, DT_LIMIT_EXCEEDED.
 */
export function parseTarManifest(bytes: Uint8Array, name: string): TarContents {
  const reader = new TarManifestReader(name);
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw reader.refuse('its manifest.json is not JSON', error);
  }
  return reader.read(document);
}

class TarManifestReader {
  readonly #name: string;
  readonly #fields: JsonFields;
  readonly #images: TarEntryImage[] = [];
  readonly #manifests = new Map<Digest, ManifestContent>();
  readonly #configs = new Map<Digest, Uint8Array>();
  #items = 0;

  constructor(name: string) {
    this.#name = name;
    this.#fields = new JsonFields((why) => this.refuse(`in its manifest.json ${why}`));
  }

  refuse(why: string, cause?: unknown): DtError {
    return new DtError('DT_WRAP_INVALID', `${this.#name} is no bundle tar: ${why}`, { cause });
  }

  read(document: unknown): TarContents {
    for (const item of this.#fields.list(document, 'the document')) {
      const { ImageIndex: index, Image: image } = this.#fields.record(item, 'an item');
      if (isPresent(index)) this.#addRoot(this.#fields.record(index, 'an index'), this.#readIndex(index, 1));
      else this.#addRoot(this.#fields.record(image, 'an image'), this.#readImage(image));
    }
    return { images: this.#images, manifests: this.#manifests, configs: this.#configs };
  }

  #addRoot(item: Readonly<Record<string, unknown>>, digest: Digest): void {
    const { Refs: refs, Tag: tag, Labels: labels, OrigRef: origin } = item;
    const [first] = this.#fields.list(refs, 'the list of references');
    const reference = parsePinnedReference(this.#fields.text(first, 'a reference'));
    if (reference?.digest !== digest) throw this.refuse(`the reference of ${digest} has another digest`);
    const isTagged = isPresent(tag) && tag !== '';
    this.#images.push({
      digest,
      reference,
      origin: isPresent(origin) ? this.#fields.text(origin, 'an original reference') : '',
      ...(isTagged ? { tag: this.#fields.textThat(isTag, tag, 'a tag') } : {}),
      isRootBundle: isPresent(labels) && ROOT_BUNDLE_LABEL in this.#fields.record(labels, 'the labels'),
    });
  }

  #readIndex(value: unknown, depth: number): Digest {
    if (depth > MAX_DEPTH) throw this.refuse(`its indexes are nested deeper than ${String(MAX_DEPTH)}`);
    const index = this.#fields.record(value, 'an index');
    for (const child of this.#listOrNone(index['Images'])) this.#readImage(child);
    for (const child of this.#listOrNone(index['Indexes'])) this.#readIndex(child, depth + 1);
    return this.#addManifest(index);
  }

  #readImage(value: unknown): Digest {
    const { Config: config, Manifest: manifest } = this.#fields.record(value, 'an image');
    const { digest, bytes } = this.#readContent(this.#fields.record(config, 'a config'));
    this.#configs.set(digest, bytes);
    return this.#addManifest(this.#fields.record(manifest, 'a manifest'));
  }

  #addManifest(item: Readonly<Record<string, unknown>>): Digest {
    const { digest, bytes } = this.#readContent(item);
    const mediaType = this.#fields.text(item['MediaType'], 'a media type');
    this.#manifests.set(digest, { descriptor: { mediaType, digest, size: bytes.length }, bytes });
    return digest;
  }

  #readContent({ Digest: digestText, Raw: raw }: Readonly<Record<string, unknown>>): {
    readonly digest: Digest;
    readonly bytes: Uint8Array;
  } {
    if (++this.#items > MAX_ITEMS) {
      throw new DtError('DT_LIMIT_EXCEEDED', `${this.#name} has more than ${String(MAX_ITEMS)} manifests and configs`);
    }
    const digest = this.#fields.digest(digestText);
    const bytes = new TextEncoder().encode(this.#fields.text(raw, `the text of ${digest}`));
    if (matchesDigest(bytes, digest)) return { digest, bytes };
    throw new DtError('DT_DIGEST_MISMATCH', `${digest} in ${this.#name} does not have that digest`);
  }

  #listOrNone(value: unknown): readonly unknown[] {
    return isPresent(value) ? this.#fields.list(value, 'the list below an index') : [];
  }
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}
