import { isDtError } from '../errors.ts';
import type { JsonFields } from '../json-fields.ts';
import { formatRepository, isRepository, parseReference } from '../oci/reference.ts';
import { MAX_BASE_PLACES, MAX_BASES, requireWithinLimit } from './wrap-limits.ts';

const BASE_KINDS = ['wrap', 'lock', 'inventory'] as const;
/** A name of a file, which stands in commands to try. */
const NAME_PATTERN = /^[^/\p{Cc}\p{Cf}]{1,255}$/u;

/** What a delta adds to: another wrap, a lock, or the inventory of a registry. */
export interface WrapBase {
  readonly kind: (typeof BASE_KINDS)[number];
  /** The name of its file. */
  readonly name: string;
}

/** Repositories that have a blob once the base is in the target. */
export interface BasePlaces {
  /** `registry/repository` as the charts of the base name it: an unwrap maps it as it maps images. */
  readonly sources: readonly string[];
  /** Repositories of the target registry, as they are. */
  readonly targets: readonly string[];
}

/** True for a name that a wrap may give a base. */
export function isBaseName(name: string): boolean {
  return NAME_PATTERN.test(name);
}

/** The bases that a wrap names. Throws what the fields throw, DT_LIMIT_EXCEEDED. */
export function readWrapBases(value: unknown, fields: JsonFields): WrapBase[] {
  const list = fields.list(value, 'the list of bases');
  requireWithinLimit(list.length, MAX_BASES, 'the list of bases', 'entries');
  return list.map((item): WrapBase => {
    const record = fields.record(item, 'a base');
    const name = fields.textThat(isBaseName, record['name'], 'the name of a base');
    const isKind = (text: string): text is WrapBase['kind'] => BASE_KINDS.some((kind) => kind === text);
    return { kind: fields.textThat(isKind, record['kind'], 'the kind of a base'), name };
  });
}

/** Where a base has put a blob. Throws what the fields throw, DT_LIMIT_EXCEEDED. */
export function readBasePlaces(value: unknown, fields: JsonFields): BasePlaces {
  const record = fields.record(value, 'the base of a blob');
  const read = (name: keyof BasePlaces, isRight: (text: string) => boolean): string[] => {
    const list = fields.list(record[name], `the ${name} of a blob`);
    requireWithinLimit(list.length, MAX_BASE_PLACES, `the ${name} of a blob`, 'repositories');
    return list.map((item) => fields.textThat(isRight, item, `a repository among the ${name} of a blob`));
  };
  return { sources: read('sources', isSourceRepository), targets: read('targets', isRepository) };
}

function isSourceRepository(text: string): boolean {
  try {
    return formatRepository(parseReference(text)) === text;
  } catch (error) {
    if (isDtError(error)) return false;
    throw error;
  }
}
