/** What Helm puts before a reference to say that it means a registry. https://helm.sh/docs/topics/registries/ */
const OCI_SCHEME = 'oci://';

export function hasOciScheme(text: string): boolean {
  return text.startsWith(OCI_SCHEME);
}

/** The text without `oci://`, if it is there. */
export function trimOciScheme(text: string): string {
  return hasOciScheme(text) ? text.slice(OCI_SCHEME.length) : text;
}
