import { trimOciScheme } from '../oci/oci-scheme.ts';

/** The place, and the tag if there is one, of `[oci://]REGISTRY[/PATH][:TAG]`. Nothing is checked. */
export function splitWrapTarget(target: string): { readonly prefix: string; readonly tag?: string } {
  const text = trimOciScheme(target);
  const slash = text.lastIndexOf('/');
  // Without a path a colon is that of a port.
  const colon = slash < 0 ? -1 : text.indexOf(':', slash);
  return colon < 0 ? { prefix: text } : { prefix: text.slice(0, colon), tag: text.slice(colon + 1) };
}
