import type { Digest } from '../oci/digest.ts';
import type { PluginMetadata } from './plugin-metadata.ts';

const CHECKSUM_LINE = /^ +(?<name>\S+): "?(?<digest>sha256:[0-9a-f]{64})"?\s*$/gm;

/**
 * What is signed for a package that lies under these names: two YAML documents, the second of which is what Helm compares.
 * https://helm.sh/docs/topics/provenance/#the-provenance-file
 */
export function formatProvenance(
  { name, version }: PluginMetadata,
  sha256: string,
  fileNames: readonly string[],
): string {
  const files = [...new Set(fileNames)].map((fileName) => `  ${fileName}: sha256:${sha256}\n`);
  return `name: ${name}\nversion: ${version}\n\n...\nfiles:\n${files.join('')}`;
}

/** The checksums of a provenance file by the names of the files. The signature around them is not checked: that needs the site's keys. */
export function readProvenanceChecksums(text: string): ReadonlyMap<string, Digest> {
  return new Map(
    [...text.matchAll(CHECKSUM_LINE)].flatMap(({ groups }) =>
      groups?.['name'] === undefined ? [] : [[groups['name'], groups['digest'] as Digest] as const],
    ),
  );
}
