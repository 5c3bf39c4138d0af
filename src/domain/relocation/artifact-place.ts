import { trimOciScheme } from '../oci/oci-scheme.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { parseRelocationPrefix } from './relocation-prefix.ts';

/** A reference with a tag. */
export type TaggedReference = Reference & { readonly tag: string };

/** The place, and the tag if there is one, of `[oci://]REGISTRY[/PATH][:TAG]`. Nothing is checked. */
export function splitArtifactTarget(target: string): { readonly prefix: string; readonly tag?: string } {
  const text = trimOciScheme(target);
  const slash = text.lastIndexOf('/');
  // Without a path a colon is that of a port.
  const colon = slash < 0 ? -1 : text.indexOf(':', slash);
  return colon < 0 ? { prefix: text } : { prefix: text.slice(0, colon), tag: text.slice(colon + 1) };
}

/** As `helm push` does it, the name is put behind the path. Throws DT_BAD_PREFIX, DT_BAD_REFERENCE. */
export function placeArtifact(
  prefix: string,
  { name, tag }: { readonly name: string; readonly tag: string },
): TaggedReference {
  const { registry, path } = parseRelocationPrefix(prefix);
  return { ...parseReference(`${registry}/${path === '' ? '' : `${path}/`}${name}:${tag}`), tag };
}
