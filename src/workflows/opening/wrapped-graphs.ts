import type { AttachedGraph } from '../../content/image-content.ts';
import { countManifestBytes, readGraph, type Graph } from '../../content/read-graph.ts';
import type { WrappedContent } from '../../content/wrapped-content.ts';
import type { AttachedArtifact } from '../../domain/oci/attached-artifact.ts';
import { sizeMismatchError } from '../../domain/oci/blob-errors.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { listOmitted, type OmittedBlob, type WrapDocument } from '../../domain/wrap/wrap-document.ts';
import { MAX_WRAP_MANIFESTS_BYTES, requireWithinLimit } from '../../domain/wrap/wrap-limits.ts';
import type { RunContext } from '../context.ts';

/**
 * The graphs of a wrap, of which everything must be there but what a delta leaves out of its images. Each is read once, however often
 * the wrap names it.
 */
export class WrappedGraphs {
  readonly #store: WrappedContent;
  readonly #graphs = new Map<string, Promise<Graph>>();
  readonly #omitted: ReadonlyMap<Digest, OmittedBlob>;
  #manifestBytes = 0;

  constructor(store: WrappedContent, document: Pick<WrapDocument, 'blobs'>) {
    this.#store = store;
    this.#omitted = new Map(listOmitted(document).map((blob) => [blob.digest, blob]));
  }

  /** The graph below a digest. Throws DT_WRAP_INCOMPLETE and the other codes of damage, DT_LIMIT_EXCEEDED. */
  read(digest: Digest, isFiltered: boolean, context: RunContext): Promise<Graph> {
    const key = `${digest} ${String(isFiltered)}`;
    const graph = this.#graphs.get(key) ?? this.#readNew(digest, isFiltered, context);
    this.#graphs.set(key, graph);
    return graph;
  }

  async readAttached(artifacts: readonly AttachedArtifact[], context: RunContext): Promise<AttachedGraph[]> {
    const attached = [];
    for (const artifact of artifacts) {
      const graph = await this.read(artifact.digest, false, context);
      for (const blob of graph.blobs) if (this.#omitted.has(blob.digest)) await this.#store.requireBlob(blob);
      attached.push({ artifact, graph });
    }
    return attached;
  }

  async #readNew(digest: Digest, isFiltered: boolean, { concurrency, signal }: RunContext): Promise<Graph> {
    const store = this.#store;
    const graph = await readGraph(store, await store.readManifest(digest), {
      concurrency,
      signal,
      selectChild: (child) => !isFiltered || store.has(child.digest),
      selectNonDistributable: (layer) => store.has(layer.digest),
    });
    this.#manifestBytes += countManifestBytes(graph);
    requireWithinLimit(this.#manifestBytes, MAX_WRAP_MANIFESTS_BYTES, store.name, 'bytes of manifests');
    for (const blob of graph.blobs) {
      const omitted = this.#omitted.get(blob.digest);
      if (omitted === undefined) await store.requireBlob(blob);
      else if (omitted.size !== blob.size) {
        throw sizeMismatchError(blob.digest, blob.size, store.name, omitted.size);
      }
    }
    return graph;
  }
}
