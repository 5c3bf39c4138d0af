import * as Flags from '@oclif/core/flags';
import { DtError } from '../../domain/errors.ts';
import { parseReference } from '../../domain/oci/reference.ts';

export const BUNDLE_FLAG = Flags.string({ char: 'b', summary: 'bundle', helpValue: 'IMAGE' });
export const IMAGE_FLAG = Flags.string({ char: 'i', summary: 'plain image', helpValue: 'IMAGE' });

/** Throws DT_USAGE unless exactly one of the flags has a value. `what` is what they are for. */
export function requireOne(values: Readonly<Record<string, unknown>>, what: string): void {
  const given = Object.keys(values).filter((name) => values[name] !== undefined);
  if (given.length === 1) return;
  const names = Object.keys(values);
  const list = `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
  throw new DtError(
    'DT_USAGE',
    given.length === 0 ? `there is no ${what}: ${list}` : `there is more than one ${what}: ${given.join(', ')}`,
  );
}

/** The registries that references name; what is no reference is told about later. */
export function listRegistries(...references: readonly (string | undefined)[]): string[] {
  return references.flatMap((text) => (text === undefined ? [] : [parseReference(text).registry]));
}
