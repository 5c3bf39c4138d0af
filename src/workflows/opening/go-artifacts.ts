import type { AttachedGraph } from '../../content/image-content.ts';
import { readGraph } from '../../content/read-graph.ts';
import type { ReadableStore } from '../../content/store.ts';
import { DtError } from '../../domain/errors.ts';
import type { LockImage } from '../../domain/lock/images-lock.ts';
import { attachedTag, metadataTag, type AttachedArtifact } from '../../domain/oci/attached-artifact.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { MEDIA_TYPE_OCI_INDEX } from '../../domain/oci/media-types.ts';
import { CHART_METADATA_PATH, goArtifactPath } from '../../domain/wrap/go-artifact-paths.ts';
import type { RunContext } from '../context.ts';

/** Signatures and metadata as the Go dt keeps them in a wrap: by name, not by digest. */
export class GoArtifacts {
  readonly #store: ReadableStore;
  readonly #layouts: ReadonlyMap<string, Buffer>;

  /** `layouts` has the `index.json` of each artifact by its folder. */
  constructor(store: ReadableStore, layouts: ReadonlyMap<string, Buffer>) {
    this.#store = store;
    this.#layouts = layouts;
  }

  /** What belongs to an image, for the digest that its tag will have in the target. */
  async readForImage(
    image: LockImage,
    root: Digest,
    context: Pick<RunContext, 'concurrency' | 'signal'>,
  ): Promise<AttachedGraph[]> {
    const folder = goArtifactPath(image);
    if (folder === undefined) return [];
    return this.#read(
      [
        ...this.#find(`${folder}.sig`, (found) => ({ subject: root, digest: found, tag: attachedTag(root, 'sig') })),
        ...this.#find(`${folder}.metadata`, (found) => ({
          subject: root,
          digest: found,
          tag: attachedTag(root, 'metadata'),
        })),
        ...this.#findSignature(`${folder}.metadata`),
      ],
      context,
    );
  }

  /** The metadata of a chart with its signature. It is found by the version, so it is attached to nothing but itself. */
  async readForChart(version: string, context: Pick<RunContext, 'concurrency' | 'signal'>): Promise<AttachedGraph[]> {
    const tag = metadataTag(version);
    return this.#read(
      [
        ...this.#find(CHART_METADATA_PATH, (digest) => ({ subject: digest, digest, tag })),
        ...this.#findSignature(CHART_METADATA_PATH),
      ],
      context,
    );
  }

  #findSignature(folder: string): AttachedArtifact[] {
    const [signed] = this.#find(folder, (digest) => ({ subject: digest, digest }));
    if (signed === undefined) return [];
    const { subject } = signed;
    return this.#find(`${folder}.sig`, (digest) => ({ subject, digest, tag: attachedTag(subject, 'sig') }));
  }

  #find(folder: string, describe: (digest: Digest) => AttachedArtifact): AttachedArtifact[] {
    const bytes = this.#layouts.get(folder);
    return bytes === undefined ? [] : [describe(readLayoutRoot(bytes, folder, this.#store.name))];
  }

  async #read(
    artifacts: readonly AttachedArtifact[],
    { concurrency, signal }: Pick<RunContext, 'concurrency' | 'signal'>,
  ): Promise<AttachedGraph[]> {
    const attached = [];
    for (const artifact of artifacts) {
      const root = await this.#store.readManifest(artifact.digest);
      attached.push({ artifact, graph: await readGraph(this.#store, root, { concurrency, signal }) });
    }
    return attached;
  }
}

/** The one manifest of a layout. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#indexjson-file */
function readLayoutRoot(bytes: Buffer, folder: string, wrapPath: string): Digest {
  const descriptor = { mediaType: MEDIA_TYPE_OCI_INDEX, digest: '' as Digest, size: bytes.length };
  const index = parseManifest({ descriptor, bytes });
  const [only, ...others] = index.kind === 'index' ? index.manifests : [];
  if (only !== undefined && others.length === 0) return only.digest;
  throw new DtError('DT_WRAP_INVALID', `${folder} in ${wrapPath} is not a layout of one artifact`);
}
