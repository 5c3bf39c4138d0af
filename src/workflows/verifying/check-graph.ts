import type { CheckedContent } from '../../content/checked-content.ts';
import { countManifestBytes, readGraph, type Graph } from '../../content/read-graph.ts';
import { isDtError } from '../../domain/errors.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import { MAX_WRAP_MANIFESTS_BYTES, requireWithinLimit } from '../../domain/wrap/wrap-limits.ts';

/** The content lies in one file: nothing is gained by reading it side by side. */
const CONCURRENCY = 1;

export interface GraphCheck {
  readonly content: CheckedContent;
  readonly damages: DamageList;
  readonly signal: AbortSignal;
  /** What the wrap says that it holds. */
  readonly isListed: (digest: Digest) => boolean;
  /** The sizes of blobs that a delta leaves out of its images. */
  readonly omitted: ReadonlyMap<Digest, number>;
  /** Everything that some image or chart needs; is added to. */
  readonly needed: Set<Digest>;
  readonly graphs: GraphCache;
}

/** The whole graphs of a wrap, each held once, however many images it belongs to. */
export class GraphCache {
  readonly #wrapName: string;
  readonly #graphs = new Map<string, Graph>();
  #manifestBytes = 0;

  /** The name is what messages call the wrap. */
  constructor(wrapName: string) {
    this.#wrapName = wrapName;
  }

  get(root: Digest, isFiltered: boolean): Graph | undefined {
    return this.#graphs.get(`${root} ${String(isFiltered)}`);
  }

  /** Throws DT_LIMIT_EXCEEDED if all graphs together have more manifests than a wrap may have. */
  add(root: Digest, isFiltered: boolean, graph: Graph): void {
    this.#manifestBytes += countManifestBytes(graph);
    requireWithinLimit(this.#manifestBytes, MAX_WRAP_MANIFESTS_BYTES, this.#wrapName, 'bytes of manifests');
    this.#graphs.set(`${root} ${String(isFiltered)}`, graph);
  }
}

/** What the graph belongs to. */
export interface GraphOwner {
  /** Absent for a chart. */
  readonly image?: string | undefined;
  /** Children of the index may have been left out. */
  readonly isFiltered?: boolean;
  /** Of a signature and the like, of which a delta leaves nothing out. */
  readonly isAttached?: boolean;
}

/** The graph below a manifest. What of it is missing or of another size goes to the damages; undefined if there is no telling. */
export async function checkGraph(root: Digest, owner: GraphOwner, check: GraphCheck): Promise<Graph | undefined> {
  const { content, damages, signal, isListed, needed, graphs } = check;
  const { image, isFiltered = false } = owner;
  needed.add(root);
  if (image !== undefined) damages.addImage(root, image);
  if (!content.has(root)) {
    damages.addMissing(root, 'the manifest is not in the wrap', image);
    return undefined;
  }
  const known = graphs.get(root, isFiltered);
  if (known !== undefined) {
    checkGraphContent(known, owner, check);
    return known;
  }
  const absent = new Set<Digest>();
  const selectChild = ({ digest }: Descriptor): boolean => {
    if (content.has(digest)) return true;
    if (isFiltered && !isListed(digest)) return false;
    absent.add(digest);
    damages.addMissing(digest, 'the manifest is not in the wrap', image);
    return false;
  };
  let graph: Graph;
  try {
    graph = await readGraph(content, await content.readManifest(root), {
      concurrency: CONCURRENCY,
      signal,
      selectChild,
      selectNonDistributable: ({ digest }) => isListed(digest),
    });
  } catch (error) {
    if (signal.aborted || !isDtError(error)) throw error;
    damages.addError(error, { digest: root, image });
    return undefined;
  }
  // For every other image what is missing is told again.
  if (absent.size === 0) graphs.add(root, isFiltered, graph);
  checkGraphContent(graph, owner, check);
  return graph;
}

/** Finds the blobs of a graph that are missing or have another size, and adds the image to all damage of its content that is known. */
export function checkGraphContent(graph: Graph, { image, isAttached = false }: GraphOwner, check: GraphCheck): void {
  const { content, damages, needed, omitted } = check;
  for (const { descriptor } of [graph.root, ...graph.manifests]) {
    needed.add(descriptor.digest);
    if (image !== undefined) damages.addImage(descriptor.digest, image);
  }
  for (const { digest, size } of graph.blobs) {
    needed.add(digest);
    if (image !== undefined) damages.addImage(digest, image);
    const blob = content.blobs.get(digest);
    const omittedBytes = isAttached ? undefined : omitted.get(digest);
    if (omittedBytes !== undefined) {
      if (omittedBytes === size) continue;
      const message = `the blob that is left out has ${String(omittedBytes)} bytes where its manifest says ${String(size)}`;
      damages.add('DT_SIZE_MISMATCH', message, { digest, image });
    } else if (blob === undefined) damages.addMissing(digest, 'the blob is not in the wrap', image);
    else if (blob.sizeBytes !== size) {
      const message = `the blob has ${String(blob.sizeBytes)} bytes where its manifest says ${String(size)}`;
      damages.add('DT_SIZE_MISMATCH', message, { entry: blob.path, digest, image });
    }
  }
}
