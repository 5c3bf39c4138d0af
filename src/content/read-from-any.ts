import { isFatal } from '../domain/error-rules.ts';

/**
 * What `read` gives for the first of several sources of the same content that does not fail. Throws what the first one failed
 * with once all have, and at once what is fatal (`isFatal`) or comes after an interruption.
 */
export async function readFromAny<Source, Result>(
  sources: readonly [Source, ...Source[]],
  signal: AbortSignal,
  read: (source: Source) => Promise<Result>,
): Promise<Result> {
  let failure: { readonly error: unknown } | undefined;
  for (const source of sources) {
    try {
      return await read(source);
    } catch (error) {
      if (signal.aborted || isFatal(error)) throw error;
      failure ??= { error };
    }
  }
  throw failure?.error;
}
