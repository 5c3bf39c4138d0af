import { findTag } from '../../content/copy-graph.ts';
import { AttachedFinder, type FindAttachedOptions } from '../../content/find-attached.ts';
import { readGraph, type Graph } from '../../content/read-graph.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import { formatPinnedReference, type PinnedReference } from '../../domain/carvel/pinned-reference.ts';
import { DtError } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { attachedTag, type AttachedArtifact } from '../../domain/oci/attached-artifact.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { isTag } from '../../domain/oci/reference.ts';
import { combineFailures, listFailures, tryAll } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';
import { readArtifacts } from '../wrapping/gather-images.ts';
import { nameCarried, type CarriedImage } from './carried-image.ts';
import { requireKind, type ChosenRoot, type ChosenSource } from './copy-source.ts';
import { locateImages } from './locate-images.ts';
import { findBundledImages } from './read-bundle.ts';

/** Bundles of bundles; deeper than this is a mistake. */
const MAX_BUNDLE_DEPTH = 16;
const MAX_IMAGES = 20_000;

/** What of that which is attached goes along: everything, the signatures of cosign as with imgpkg, or nothing. */
export type AttachedChoice = 'all' | 'signatures' | 'none';

export interface GatherOptions {
  readonly attached: AttachedChoice;
  readonly includeNonDistributable: boolean;
  /** The file that the images were read from. */
  readonly lockFile?: string | undefined;
}

/** An image that is still to be read. */
interface WantedImage extends ChosenRoot {
  readonly origin: string;
  readonly isRoot: boolean;
}

/**
 * Reads every manifest of the images, of those that their bundles name, at any depth, and of what is attached to them, each once.
 * All are tried: one error names all that failed. Throws DT_USAGE for the wrong kind, DT_LOCK_INVALID, and what registries say.
 */
export async function gatherBundle(
  { kind, roots }: ChosenSource,
  options: GatherOptions,
  context: RunContext,
): Promise<readonly CarriedImage[]> {
  return context.reporter.step(
    'Reading manifests',
    async () => new BundleGathering(kind, options, context).gather(roots),
    (images) => `${formatCount(images.length, 'image')} found`,
  );
}

class BundleGathering {
  readonly #kind: ChosenSource['kind'];
  readonly #options: GatherOptions;
  readonly #context: RunContext;
  readonly #seen = new Set<Digest>();
  readonly #finders = new Map<string, AttachedFinder>();

  constructor(kind: ChosenSource['kind'], options: GatherOptions, context: RunContext) {
    this.#kind = kind;
    this.#options = options;
    this.#context = context;
  }

  async gather(roots: readonly ChosenRoot[]): Promise<readonly CarriedImage[]> {
    const gathered: CarriedImage[] = [];
    let level = this.#takeNew(
      roots.map((root) => ({
        ...root,
        origin: this.#kind === 'image' ? '' : formatPinnedReference(root.reference),
        isRoot: true,
      })),
    );
    for (let depth = 0; level.length > 0; depth++) {
      if (depth > MAX_BUNDLE_DEPTH) {
        throw new DtError('DT_LIMIT_EXCEEDED', `bundles are nested deeper than ${String(MAX_BUNDLE_DEPTH)}`);
      }
      const outcomes = await tryAll(level, this.#context, async (wanted, signal) => this.#read(wanted, signal));
      const failures = listFailures(level, outcomes, nameCarried);
      if (failures.length > 0) throw combineFailures(failures, { totalCount: level.length, verb: 'read' });
      const read = outcomes.flatMap((outcome) => ('result' in outcome ? outcome.result : []));
      gathered.push(...read);
      if (gathered.length > MAX_IMAGES) {
        throw new DtError('DT_LIMIT_EXCEEDED', `there are more than ${String(MAX_IMAGES)} images`);
      }
      level = this.#takeNew(await this.#listBundled(read));
    }
    return dropRepeated(gathered);
  }

  async #read(wanted: WantedImage, signal: AbortSignal): Promise<CarriedImage[]> {
    const { reference, origin, isRoot, tag } = wanted;
    const store = openRepository(this.#context, reference);
    const root = await store.readManifest(reference.digest, { signal });
    const bundled = await findBundledImages(store, root, signal);
    if (isRoot) requireKind(this.#kind, nameCarried(wanted), bundled !== undefined, this.#options.lockFile);
    const graph = await readGraph(store, root, {
      concurrency: this.#context.concurrency,
      signal,
      selectNonDistributable: () => this.#options.includeNonDistributable,
    });
    const image: CarriedImage = {
      reference,
      origin,
      store,
      graph,
      isRoot,
      ...(tag === undefined ? {} : { tag }),
      ...(bundled === undefined ? {} : { bundled }),
    };
    return [image, ...(await this.#readAttached(store, reference, graph, signal))];
  }

  async #readAttached(
    store: RegistryStore,
    reference: PinnedReference,
    graph: Graph,
    signal: AbortSignal,
  ): Promise<CarriedImage[]> {
    const options = { concurrency: this.#context.concurrency, signal };
    const artifacts = await this.#findAttached(store, graph, options);
    const attached = await readArtifacts(store, artifacts, options, this.#context);
    return attached.map((item) => ({
      reference: { ...reference, digest: item.artifact.digest },
      origin: '',
      store,
      graph: item.graph,
      isRoot: false,
      artifact: item.artifact,
      ...(item.artifact.tag === undefined ? {} : { tag: item.artifact.tag }),
    }));
  }

  async #findAttached(
    store: RegistryStore,
    graph: Graph,
    options: FindAttachedOptions,
  ): Promise<readonly AttachedArtifact[]> {
    const { attached } = this.#options;
    if (attached === 'none') return [];
    if (attached === 'signatures') return findSignature(store, graph.root.descriptor.digest, options.signal);
    const finder = this.#finders.get(store.name) ?? new AttachedFinder(store);
    this.#finders.set(store.name, finder);
    const subjects = [graph.root, ...graph.manifests].map(({ descriptor }) => descriptor.digest);
    return finder.find(subjects, options);
  }

  async #listBundled(read: readonly CarriedImage[]): Promise<WantedImage[]> {
    const wanted: WantedImage[] = [];
    for (const { reference, bundled } of read) {
      if (bundled === undefined) continue;
      const located = await locateImages(reference, bundled, this.#context);
      for (const place of located) {
        const origin = formatPinnedReference(place.image.reference);
        wanted.push({ reference: place.reference, origin, isRoot: false });
      }
    }
    return wanted;
  }

  #takeNew(wanted: readonly WantedImage[]): WantedImage[] {
    return wanted.filter(({ reference: { digest } }) => {
      const isNew = !this.#seen.has(digest);
      this.#seen.add(digest);
      return isNew;
    });
  }
}

/** Where cosign puts the signature of an image. */
async function findSignature(
  store: RegistryStore,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly AttachedArtifact[]> {
  const tag = attachedTag(subject, 'sig');
  const digest = isTag(tag) ? await findTag(store, tag, signal) : undefined;
  return digest === undefined ? [] : [{ subject, digest, tag }];
}

/** What is attached to several images is one image; one with a tag tells more. */
export function dropRepeated(images: readonly CarriedImage[]): readonly CarriedImage[] {
  const kept = new Map<string, CarriedImage>();
  for (const image of images) {
    const key = `${image.reference.digest} ${image.tag ?? ''}`;
    if (!kept.has(key)) kept.set(key, image);
  }
  const tagged = new Set(
    [...kept.values()].filter(({ tag }) => tag !== undefined).map(({ reference }) => reference.digest),
  );
  return [...kept.values()].filter(({ tag, reference }) => tag !== undefined || !tagged.has(reference.digest));
}
