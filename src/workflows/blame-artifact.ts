import { copyError } from '../domain/error-rules.ts';
import type { DtError } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';

/** The same error, which says that not an image failed but something that is attached to it. */
export function blameArtifact(error: DtError, artifact: Digest): DtError {
  return copyError(error, {
    message: `${error.message} (of the attached artifact ${artifact})`,
    hints: [...error.hints.slice(0, 1), '--no-referrers to leave out signatures and everything else that is attached'],
  });
}
