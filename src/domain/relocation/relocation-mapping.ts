import { DtError } from '../errors.ts';
import {
  DOCKER_HUB_REGISTRY,
  formatRepository,
  isRegistryHost,
  isRepository,
  namesRegistry,
  normalizeRegistry,
  type Reference,
} from '../oci/reference.ts';
import { toRegistryFolder } from './image-naming.ts';

/** Images of some repositories, and where they go. */
export interface RelocationMapping {
  /** Matches `registry/repository` with the registry in lower case; each star, or the rest behind a prefix, is a group. */
  readonly source: RegExp;
  /** True without stars: what stands behind the beginning is kept. */
  readonly isPrefix: boolean;
  /** How many of the groups are texts of a registry. */
  readonly registryGroupCount: number;
  readonly target: MappedPattern;
  /** Matches what lies at the target; undefined for a target under the prefix. */
  readonly targetPattern: RegExp | undefined;
}

/** A place with stars in it; without a registry it is a path under the prefix. */
interface MappedPattern {
  readonly registry: string | undefined;
  readonly path: string;
}

/** Where a mapping puts an image. */
export interface MappedPlace {
  readonly registry: string | undefined;
  readonly repository: string;
}

const STAR = /\*\*?/g;
/** A pattern of many stars takes long to match. */
const MAX_STARS = 4;
const MAX_PATTERN_LENGTH = 600;

/**
 * A mapping of all images that `from` names: a registry with the beginning of a repository (`quay.io/prometheus`), or a pattern in
 * which `*` stands for any text within a part and `**` for one part or several (`docker.io/bitnami/*`, `*.gcr.io/**`). What the
 * stars stand for goes where `to` has stars, the last ones first; behind a prefix everything is kept. `to` is a path under
 * the prefix, unless it begins with a registry. Throws DT_CONFIG_INVALID.
 */
export function parseRelocationMapping(from: string, to: string): RelocationMapping {
  const source = parseSource(from);
  const target = parseTarget(to);
  const [sourceStars, targetStars] = [listStars(from), listStars(target.path)];
  if (sourceStars.length > MAX_STARS) throw invalid(`"${from}" has more than ${String(MAX_STARS)} stars`);
  if (targetStars.length > sourceStars.length) throw invalid(`"${to}" has more stars than "${from}"`);
  if (targetStars.length === 0 && from.endsWith('*')) {
    throw invalid(`"${to}" has no star for the one at the end of "${from}"`);
  }
  const isPrefix = sourceStars.length === 0;
  const used = sourceStars.slice(sourceStars.length - targetStars.length);
  let index = 0;
  const targetPath = target.path.replaceAll(STAR, () => used[index++] ?? '');
  return {
    source: toPattern(source.registry, source.path, isPrefix),
    isPrefix,
    registryGroupCount: listStars(source.registry).length,
    target,
    targetPattern: target.registry === undefined ? undefined : toPattern(target.registry, targetPath, isPrefix),
  };
}

/** Where the image goes; undefined if the mapping is for others. */
export function applyMapping(reference: Reference, mapping: RelocationMapping): MappedPlace | undefined {
  const { source, isPrefix, target, registryGroupCount } = mapping;
  const match = source.exec(nameForPatterns(reference));
  if (match === null) return undefined;
  const groups = match
    .slice(1)
    .map((text: string | undefined, index) =>
      index < registryGroupCount ? toRegistryFolder(text ?? '') : (text ?? ''),
    );
  const starCount = listStars(target.path).length;
  let next = groups.length - starCount;
  const path = target.path.replaceAll(STAR, () => groups[next++] ?? '');
  const rest = isPrefix ? (groups[0] ?? '') : '';
  return { registry: target.registry, repository: [path, rest].filter((part) => part !== '').join('/') };
}

/** True if the image lies where the mapping puts images, outside of the prefix. */
export function isAtTarget(reference: Reference, { targetPattern }: RelocationMapping): boolean {
  return targetPattern?.test(nameForPatterns(reference)) === true;
}

function nameForPatterns({ registry, repository }: Reference): string {
  return formatRepository({ registry: registry.toLowerCase(), repository });
}

function parseSource(text: string): { readonly registry: string; readonly path: string } {
  const { first, rest } = splitPattern(text);
  if (!namesRegistry(first) && !first.includes('*')) {
    throw invalid(`"${text}" does not begin with a registry, as docker.io/bitnami/* does`);
  }
  const hasPath = rest !== '' || !first.includes('*');
  if (first.includes('**') || !hasPath || !isRegistryHost(fill(first)) || (rest !== '' && !isRepository(fill(rest)))) {
    throw invalid(`"${text}" matches no repository`);
  }
  return { registry: normalizeRegistry(first.toLowerCase()), path: rest };
}

function parseTarget(text: string): MappedPattern {
  const { first, rest } = splitPattern(text);
  const hasRegistry = namesRegistry(first) && !first.includes('*');
  const path = hasRegistry ? rest : text;
  if ((hasRegistry && !isRegistryHost(first)) || (path === '' ? !hasRegistry : !isRepository(fill(path)))) {
    throw invalid(`"${text}" is neither a registry with a path nor a path under the prefix`);
  }
  return { registry: hasRegistry ? normalizeRegistry(first) : undefined, path };
}

function splitPattern(text: string): { readonly first: string; readonly rest: string } {
  if (text.length > MAX_PATTERN_LENGTH || text.includes('***') || text.endsWith('/')) {
    throw invalid(`"${text.slice(0, MAX_PATTERN_LENGTH)}" is no pattern of repositories`);
  }
  const slash = text.indexOf('/');
  return slash === -1 ? { first: text, rest: '' } : { first: text.slice(0, slash), rest: text.slice(slash + 1) };
}

function listStars(text: string): readonly string[] {
  return text.match(STAR) ?? [];
}

/** A name that the pattern matches, to be checked in its place. */
function fill(pattern: string): string {
  return pattern.replaceAll(STAR, 'a');
}

function toPattern(registry: string, path: string, isPrefix: boolean): RegExp {
  // `docker.io/nginx` is `docker.io/library/nginx` in a reference, and also the beginning of `docker.io/nginx/controller`.
  const official = registry === DOCKER_HUB_REGISTRY && path !== '' && !path.includes('/') ? '(?:library/)?' : '';
  const name = `${toExpression(registry)}${path === '' ? '' : `/${official}${toExpression(path)}`}`;
  return new RegExp(`^${name}${isPrefix ? '(?:/(.+))?' : ''}$`);
}

function toExpression(glob: string): string {
  return glob.replaceAll(/\*\*?|[^a-z0-9*]/gi, (token) => {
    if (token === '**') return '(.+)';
    return token === '*' ? '([^/]+)' : `\\${token}`;
  });
}

function invalid(what: string): DtError {
  return new DtError('DT_CONFIG_INVALID', what);
}
