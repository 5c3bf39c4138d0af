import { LayoutCollection } from '../../content/layout-collection.ts';
import type { Graph } from '../../content/read-graph.ts';
import type { ImagesLock } from '../../domain/lock/images-lock.ts';
import { findPulledImage } from '../../domain/wrap/pulled-images.ts';
import { wrapFolder } from '../../domain/wrap/wrap-document.ts';
import type { ContainedFolder } from '../../files/contained-folder.ts';
import { requireLocked } from '../opening/assemble-wrap.ts';
import type { OpenedFolder, OpenedWrap } from '../opening/opened-wrap.ts';
import { rebuildImageGraph } from '../opening/rebuild-index.ts';
import { WrappedGraphs } from '../opening/wrapped-graphs.ts';
import { readPulledImages } from './layouts-folder.ts';

/**
 * The images of a lock as layouts have them: with index and signatures where we have pulled them, else, as the Go tool does,
 * with an index of the platforms. Blobs are looked for, and not read. Throws DT_UNSAFE_ENTRY, DT_WRAP_INVALID.
 */
export async function openLayouts(folder: ContainedFolder, lock: ImagesLock): Promise<OpenedWrap> {
  const store = await LayoutCollection.open(folder);
  const pulledImages = await readPulledImages(folder);
  const graphs = new WrappedGraphs(store, { blobs: [] });
  const opened: OpenedFolder = {
    name: wrapFolder(lock.chart),
    lock,
    hasContent: true,
    readImage: async (image, context) => {
      const pulled = findPulledImage(pulledImages, image);
      if (pulled !== undefined) {
        const graph = await graphs.read(pulled.root, pulled.isFiltered, context);
        requireLocked(graph, image, folder.path);
        const attached = await graphs.readAttached(pulled.attached, context);
        return { graph, isFiltered: pulled.isFiltered, attached };
      }
      const graph = await rebuildImageGraph(store, image, context);
      await requireBlobs(store, graph);
      return { graph, isFiltered: false, isRebuilt: graph.manifests.length > 0, attached: [] };
    },
  };
  return { path: folder.path, store, folders: [opened], close: () => Promise.resolve() };
}

async function requireBlobs(store: LayoutCollection, { blobs }: Graph): Promise<void> {
  for (const blob of blobs) await store.requireBlob(blob);
}
