import { DtError } from '../errors.ts';
import type { RelocationNaming } from './image-naming.ts';
import type { RelocationMapping } from './relocation-mapping.ts';
import type { RelocationPrefix } from './relocation-prefix.ts';

/** Where images go and what they are called there. A prefix alone is a rule with the naming of the Go tool. */
export interface RelocationRule extends RelocationPrefix {
  /** Default: `two-parts`. */
  readonly naming?: RelocationNaming;
  /** Parts that a repository of the target may have. What lies under the prefix already, or is mapped to a registry, is not counted. */
  readonly maxDepth?: number;
  /** Names for some images; the first that matches counts, and wins over `naming`. */
  readonly mappings?: readonly RelocationMapping[];
  /** Where the images are read from, if not where they are pushed to. */
  readonly pull?: RelocationPrefix;
}

/** The place that charts name: the one that images are read from. */
export function pullPrefix(rule: RelocationRule): RelocationPrefix {
  return rule.pull ?? rule;
}

/** How many parts the name of an image may have behind the prefix. Throws DT_BAD_PREFIX if none is left. */
export function maxImageParts({ path, maxDepth = Number.POSITIVE_INFINITY }: RelocationRule): number {
  const left = maxDepth - (path === '' ? 0 : path.split('/').length);
  if (left >= 1) return left;
  throw new DtError(
    'DT_BAD_PREFIX',
    `the path "${path}" leaves no room for a name: --max-depth is ${String(maxDepth)}`,
    {
      detail: 'The depth counts the parts of the whole repository, those of the prefix included.',
    },
  );
}
