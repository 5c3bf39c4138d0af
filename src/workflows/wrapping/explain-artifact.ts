import type { Graph } from '../../content/read-graph.ts';
import type { DtError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { blameArtifact } from '../blame-artifact.ts';
import type { GatheredContent } from './gather-images.ts';

/** The same error, which says so if not the image itself failed but something that is attached to it. */
export function explainArtifact(error: DtError, { graphs }: GatheredContent, failed: Graph | undefined): DtError {
  if (failed === undefined || failed === graphs[0]) return error;
  return blameArtifact(error, failed.root.descriptor.digest);
}

/** The same for an error of one blob, which belongs to the first graph that has it. */
export function explainBlob(error: DtError, content: GatheredContent, digest: Digest): DtError {
  const failed = content.graphs.find(({ blobs }) => blobs.some((blob) => blob.digest === digest));
  return explainArtifact(error, content, failed);
}
