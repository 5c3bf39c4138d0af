import { formatReference } from '../domain/oci/reference.ts';
import { resolveRoot } from './bundle/copy-source.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';

export interface ResolveBundleTagResult {
  /** `registry/repository@digest`. */
  readonly reference: string;
  readonly digest: string;
}

/** The digest that a reference has. Throws DT_BAD_REFERENCE and the registry errors. */
export async function resolveBundleTag(text: string, context: RunContext): Promise<ResolveBundleTagResult> {
  const { reference } = await nameSide('source', async () => resolveRoot(text, context));
  return { reference: formatReference(reference), digest: reference.digest };
}
