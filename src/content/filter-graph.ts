import type { ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { filterIndex } from '../domain/oci/filter-index.ts';
import { parseManifest } from '../domain/oci/manifest.ts';
import type { Graph } from './read-graph.ts';

/**
 * The graph with indexes that name only what it holds, for a registry that takes no others. Indexes that lack nothing, and all
 * other manifests, keep their bytes.
 */
export function filterGraph({ root, manifests, blobs }: Graph): Graph {
  const present = new Set<Digest>([
    ...manifests.map(({ descriptor }) => descriptor.digest),
    ...blobs.map(({ digest }) => digest),
  ]);
  const replaced = new Map<Digest, ManifestContent>();
  // Children come before their parents: what replaces a child is known when its parent is looked at.
  const filtered = manifests.map((content) => replace(content, present, replaced));
  return { root: replace(root, present, replaced), manifests: filtered, blobs };
}

function replace(
  content: ManifestContent,
  present: ReadonlySet<Digest>,
  replaced: Map<Digest, ManifestContent>,
): ManifestContent {
  if (parseManifest(content).kind !== 'index') return content;
  const next = filterIndex(content, (child) =>
    present.has(child) ? (replaced.get(child)?.descriptor ?? 'same') : undefined,
  );
  if (next !== content) replaced.set(content.descriptor.digest, next);
  return next;
}
