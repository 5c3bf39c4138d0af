import { rename, rm } from 'node:fs/promises';
import { sep } from 'node:path';
import { toOutputError } from '../../archive/output-path.ts';
import { DtError, systemErrorCode } from '../../domain/errors.ts';

/** Gives a folder its name; what had the name goes. Throws DT_OUTPUT_FAILED. */
export async function replaceFolder(staged: string, folder: string): Promise<void> {
  const former = `${staged}.former`;
  try {
    await moveAway(folder, former);
    await rename(staged, folder);
    await rm(former, { recursive: true, force: true });
  } catch (error) {
    throw toOutputError(error, folder);
  }
}

async function moveAway(folder: string, former: string): Promise<void> {
  try {
    await rename(folder, former);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

/** Throws DT_USAGE for a folder that nobody means to have replaced: the root, or one that holds one of `needed`. */
export function requireReplaceable(name: string, folder: string, needed: readonly string[]): void {
  const isNeeded = folder === '/' || needed.some((other) => other === folder || other.startsWith(`${folder}${sep}`));
  if (name !== '' && !isNeeded) return;
  throw new DtError(
    'DT_USAGE',
    `${name === '' ? 'an empty name' : name} is no output folder: all of it would be removed`,
    {
      hints: ['-o with a folder of its own'],
    },
  );
}
