import type { Reference } from '../oci/reference.ts';

/** What of a repository names its image in the target. The first is the default. */
export const RELOCATION_NAMINGS = ['two-parts', 'keep-path', 'with-host', 'flatten', 'basename'] as const;

export type RelocationNaming = (typeof RELOCATION_NAMINGS)[number];

/** The most parts that the Go tool keeps. */
const KEPT_PARTS = 2;

/**
 * The parts of the name of an image in the target: the last two of its repository (`two-parts`), all (`keep-path`), its registry
 * and all (`with-host`), all joined to one (`flatten`), the last (`basename`). Each is a legal part of a repository. Only
 * `with-host` tells images of different registries apart: a name made for one image cannot know of the others.
 */
export function nameImage(
  { registry, repository }: Reference,
  naming: RelocationNaming = RELOCATION_NAMINGS[0],
): readonly string[] {
  const parts = repository.split('/');
  switch (naming) {
    case 'two-parts':
      return parts.slice(-KEPT_PARTS);
    case 'keep-path':
      return parts;
    case 'with-host':
      return [toRegistryFolder(registry), ...parts];
    case 'flatten':
      return [parts.join('-')];
    case 'basename':
      return parts.slice(-1);
  }
}

/** A registry as a part of a repository: `registry.k8s.io`, `host_5000` for `host:5000`, `fe80--1_5000` for `[fe80::1]:5000`. */
export function toRegistryFolder(registry: string): string {
  const [, address, host = '', port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(registry.toLowerCase()) ?? [];
  const name = address === undefined ? host : address.replace(/^:/, '0:').replace(/:$/, ':0').replaceAll(':', '-');
  return port === undefined ? name : `${name}_${port}`;
}

/** At most so many parts: the first ones are joined to one if there are more. */
export function limitParts(parts: readonly string[], maxCount: number): readonly string[] {
  const joinedCount = parts.length - maxCount + 1;
  return joinedCount < 2 ? parts : [parts.slice(0, joinedCount).join('-'), ...parts.slice(joinedCount)];
}
