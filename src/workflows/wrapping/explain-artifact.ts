import type { Graph } from '../../content/read-graph.ts';
import type { DtError } from '../../domain/errors.ts';
import { blameArtifact } from '../blame-artifact.ts';
import type { GatheredContent } from './gather-images.ts';

/** The same error, which says so if not the image itself failed but something that is attached to it. */
export function explainArtifact(error: DtError, { graphs }: GatheredContent, failed: Graph | undefined): DtError {
  if (failed === undefined || failed === graphs[0]) return error;
  return blameArtifact(error, failed.root.descriptor.digest);
}
