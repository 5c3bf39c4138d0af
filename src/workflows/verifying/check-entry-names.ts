import type { Digest } from '../../domain/oci/digest.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import type { WrapFile } from './wrap-content.ts';

/** Finds paths that two entries have, or that are a file and a folder at once: what is unpacked would depend on the program. */
export function checkPathsOnce(files: readonly Pick<WrapFile, 'path' | 'type'>[], damages: DamageList): void {
  const types = new Map<string, WrapFile['type']>();
  for (const { path, type } of files) {
    if (types.has(path)) damages.add('DT_UNSAFE_ENTRY', 'the entry is there twice', { entry: path });
    types.set(path, type);
  }
  for (const { path } of files) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const type = types.get(path.slice(0, slash));
      if (type === 'directory') continue;
      if (type !== undefined) damages.add('DT_UNSAFE_ENTRY', 'the entry lies below a file', { entry: path });
    }
  }
}

/**
 * Finds links that do not lead to an earlier file with the content that their own path promises. `digestsOf` tells what the file at a
 * path must be.
 */
export function checkLinks(
  files: readonly Pick<WrapFile, 'path' | 'type' | 'linkTarget'>[],
  digestsOf: (path: string) => readonly Digest[],
  damages: DamageList,
): void {
  const earlier = new Set<string>();
  for (const { path, type, linkTarget } of files) {
    if (type === 'file') earlier.add(path);
    if (type !== 'link') continue;
    const digests = digestsOf(path);
    const [digest] = digests;
    const place = { entry: path, digest };
    if (digest === undefined) damages.add('DT_UNSAFE_ENTRY', 'the entry is a link but no blob', place);
    else if (!earlier.has(linkTarget)) {
      damages.add('DT_WRAP_INCOMPLETE', `the entry is a link to ${linkTarget}, which is no file before it`, place);
    } else if (!digests.every((wanted) => digestsOf(linkTarget).includes(wanted))) {
      damages.add('DT_DIGEST_MISMATCH', `the entry is a link to another blob, ${linkTarget}`, place);
    }
  }
}
