import type { Graph } from '../../content/read-graph.ts';
import { copyError } from '../../domain/error-rules.ts';
import type { DtError } from '../../domain/errors.ts';
import type { GatheredContent } from './gather-images.ts';

/** The same error, which says so if not the image itself failed but something that is attached to it. */
export function explainArtifact(error: DtError, { graphs }: GatheredContent, failed: Graph | undefined): DtError {
  if (failed === undefined || failed === graphs[0]) return error;
  return copyError(error, {
    message: `${error.message} (of the attached artifact ${failed.root.descriptor.digest})`,
    hints: [...error.hints.slice(0, 1), '--no-referrers to leave out signatures and everything else that is attached'],
  });
}
