import { countPartialBytes } from '../archive/partial-files.ts';
import { isFatal } from '../domain/error-rules.ts';
import { DtError, isDtError } from '../domain/errors.ts';
import { formatBytes } from '../domain/format-quantity.ts';
import type { Reference } from '../domain/oci/reference.ts';
import { readFreeBytes } from '../files/output-place.ts';
import { probeUpload } from '../transport/probe-upload.ts';
import type { RunContext } from './context.ts';

/** Of a registry that refuses them. */
const MAX_PROBED_REPOSITORIES = 3;

type Repository = Pick<Reference, 'registry' | 'repository'>;

/**
 * Throws DT_DISK_FULL if a file of this size does not fit beside what is there; what the partial files of the output take is
 * its own. `readFree` tells the free bytes, or undefined where nobody knows.
 */
export async function requireFreeSpace(
  outputFile: string,
  totalBytes: number,
  readFree: (path: string) => Promise<number | undefined> = readFreeBytes,
): Promise<void> {
  const neededBytes = totalBytes - (await countPartialBytes(outputFile));
  const freeBytes = await readFree(outputFile);
  if (freeBytes === undefined || freeBytes >= neededBytes) return;
  throw new DtError('DT_DISK_FULL', `there is not enough space for ${outputFile}`, {
    detail: `It needs ${formatBytes(neededBytes)} (${String(neededBytes)} bytes), ${formatBytes(freeBytes)} are free.`,
    hints: [
      '{bin} wrap … --output-file FILE on a larger disk, or --platforms to take fewer',
      '{bin} wrap … --skip-preflight',
    ],
  });
}

/**
 * Opens an upload in one repository of each registry and cancels it, so that credentials that are missing, wrong or too
 * weak show before anything is read. Throws what a registry says that refuses all repositories, or the credential itself, or
 * cannot be reached; what it says about some of several is left to the push, which goes on with the others.
 */
export async function requirePushPermission(repositories: readonly Repository[], context: RunContext): Promise<void> {
  await Promise.all(
    [...Map.groupBy(repositories, ({ registry }) => registry).values()].map(async (group) => {
      const unique = uniqueRepositories(group);
      let refusal: { readonly error: unknown } | undefined;
      for (const repository of unique.slice(0, MAX_PROBED_REPOSITORIES)) {
        const refused = await findRefusal(repository, context);
        if (refused === undefined) return;
        refusal ??= refused;
      }
      if (refusal === undefined) return;
      const isHopeless = unique.length <= MAX_PROBED_REPOSITORIES || (await lacksCredential(group, context));
      if (isHopeless) throw refusal.error;
    }),
  );
}

/** True if there is no credential to show, or it was shown and refused: then no other repository will let us in either. */
async function lacksCredential([first]: readonly Repository[], { clients }: RunContext): Promise<boolean> {
  if (first === undefined) return false;
  if (clients.forRegistry(first.registry).hasRefusedCredential) return true;
  return (await clients.findCredential(first.registry, first.repository)) === undefined;
}

async function findRefusal(
  { registry, repository }: Repository,
  { clients, signal }: RunContext,
): Promise<{ readonly error: unknown } | undefined> {
  try {
    await probeUpload(clients.forRegistry(registry), repository, signal);
    return undefined;
  } catch (error) {
    if (signal.aborted || isDtError(error, 'DT_REGISTRY_UNREACHABLE') || isFatal(error)) throw error;
    return isDtError(error, 'DT_AUTH_REQUIRED', 'DT_AUTH_DENIED') ? { error } : undefined;
  }
}

function uniqueRepositories(repositories: readonly Repository[]): Repository[] {
  return [...new Map(repositories.map((item) => [item.repository, item])).values()];
}
