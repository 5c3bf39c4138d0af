import type { WrapEntry } from '../../archive/wrap-plan.ts';

const FILE_MODE = 0o644;

/** An ordinary file of a wrap. */
export function fileEntry(path: string, bytes: Uint8Array): WrapEntry {
  return { kind: 'file', path, mode: FILE_MODE, bytes };
}
