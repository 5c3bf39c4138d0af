import { namesArchive } from '../../domain/chart/chart-origin.ts';
import { isDtError } from '../../domain/errors.ts';
import type { RunContext } from '../context.ts';

/**
 * The provenance of a chart, which nobody needs in order to move it: that it cannot be read is a warning, and it is left
 * out. `read` gives undefined where there is none. Only an interruption is thrown.
 */
export async function readProvenance(
  location: string,
  read: () => Promise<Uint8Array | undefined>,
  { reporter, signal }: RunContext,
): Promise<Uint8Array | undefined> {
  try {
    return await read();
  } catch (error) {
    if (signal.aborted || !isDtError(error) || error.code === 'DT_INTERRUPTED') throw error;
    reporter.warn(`the provenance of ${location} is left out: ${error.message}`);
    return undefined;
  }
}

/** Like `readProvenance`, for a file beside the archive: one that does not name the archive (a web page, say) is left out too. */
export async function readProvenanceFile(
  location: string,
  archive: Uint8Array,
  read: () => Promise<Uint8Array | undefined>,
  context: RunContext,
): Promise<Uint8Array | undefined> {
  const provenance = await readProvenance(location, read, context);
  if (provenance === undefined || namesArchive(provenance, archive)) return provenance;
  context.reporter.warn(`the provenance of ${location} is left out: it does not name the digest of the archive`);
  return undefined;
}
