import type { RelocationNaming } from '../../domain/relocation/image-naming.ts';
import { parseMapFile } from '../../domain/relocation/parse-map-file.ts';
import { parseRelocationPrefix } from '../../domain/relocation/relocation-prefix.ts';
import { maxImageParts, type RelocationRule } from '../../domain/relocation/relocation-rule.ts';
import { readNamedFile } from '../read-named-file.ts';

const MAX_MAP_FILE_BYTES = 1024 * 1024;

/** Where images go, as a user says it. */
export interface RelocationOptions {
  /** Registry and path that everything goes under; `oci://` in front is fine. */
  readonly prefix: string;
  /** Default: `two-parts`. */
  readonly naming?: RelocationNaming | undefined;
  /** A file with a list of `{from, to}` in YAML or JSON. */
  readonly mapFile?: string | undefined;
  /** Parts that a repository of the target may have. */
  readonly maxDepth?: number | undefined;
  /** Registry and path that the images are read from, if not the prefix. */
  readonly pullPrefix?: string | undefined;
}

/**
 * The rule that every image is placed by. Throws DT_BAD_PREFIX, also for one that is too deep for the depth allowed, and
 * DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE or DT_CONFIG_INVALID for the map file.
 */
export function readRelocationRule(options: RelocationOptions): RelocationRule {
  const { prefix, naming, mapFile, maxDepth, pullPrefix } = options;
  const rule: RelocationRule = {
    ...parseRelocationPrefix(prefix),
    ...(naming === undefined ? {} : { naming }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
    ...(pullPrefix === undefined ? {} : { pull: parseRelocationPrefix(pullPrefix) }),
    ...(mapFile === undefined ? {} : { mappings: parseMapFile(readNamedFile(mapFile, MAX_MAP_FILE_BYTES), mapFile) }),
  };
  maxImageParts(rule);
  return rule;
}
