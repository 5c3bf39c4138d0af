import { stat } from 'node:fs/promises';
import type { RunContext } from '../context.ts';

/** Warns if a provenance lies beside the chart archive that was just changed: it signs the one before. */
export async function warnStaleProvenance(archivePath: string, { reporter }: RunContext): Promise<void> {
  const path = `${archivePath}.prov`;
  if (await exists(path)) reporter.warn(`${path} signs the chart as it was before: sign the chart again`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
