import { chartTag } from '../chart/chart-manifest.ts';
import { formatArtifactManifest } from '../oci/artifact-manifest.ts';
import type { Descriptor, ManifestContent } from '../oci/descriptor.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import { placeArtifact, splitArtifactTarget, type TaggedReference } from '../relocation/artifact-place.ts';
import type { PluginMetadata } from './plugin-metadata.ts';

/** What Helm 4 installs with `helm plugin install oci://…`. It has no types of its own for the layers. */
const ARTIFACT_TYPE_PLUGIN = 'application/vnd.helm.plugin.v1+json';
const MEDIA_TYPE_PACKAGE = 'application/vnd.oci.image.layer.v1.tar+gzip';
const MEDIA_TYPE_PROVENANCE = 'application/vnd.oci.image.layer.v1.tar';

export const PACKAGE_EXTENSION = '.tgz';
/** Helm looks for the provenance of a package beside it. */
export const PROVENANCE_EXTENSION = '.prov';

/** A package of a plugin as an artifact, with what has to be uploaded. */
export interface PluginArtifact {
  readonly package: Descriptor;
  readonly provenance: Descriptor | undefined;
  readonly manifest: ManifestContent;
}

/**
 * The artifact of a package. Helm calls what it gets from a registry `NAME-VERSION.tgz`, whatever the file was called; so the same package
 * has the same manifest under every name.
 */
export function formatPluginArtifact(
  plugin: PluginMetadata,
  { digest, sizeBytes }: { readonly digest: Digest; readonly sizeBytes: number },
  provenance: Buffer | undefined,
): PluginArtifact {
  const title = canonicalPackageName(plugin);
  const archive = { mediaType: MEDIA_TYPE_PACKAGE, digest, size: sizeBytes };
  const signature = provenance === undefined ? undefined : describeProvenance(provenance);
  const layers = [
    { ...archive, title },
    ...(signature === undefined ? [] : [{ ...signature, title: title + PROVENANCE_EXTENSION }]),
  ];
  const manifest = formatArtifactManifest(ARTIFACT_TYPE_PLUGIN, { ...plugin, layers });
  return { package: archive, provenance: signature, manifest };
}

/** The name under which Helm keeps a package and looks for its checksum once it is installed. */
export function canonicalPackageName({ name, version }: PluginMetadata): string {
  return `${name}-${version}${PACKAGE_EXTENSION}`;
}

/**
 * Where a package goes that is pushed to `[oci://]REGISTRY[/PATH][:TAG]`: the name of the plugin is put behind the path, as Helm takes the
 * name from there. Without a tag it is the version, with what the file name has behind that: `dt-1.2.3-linux-x64.tgz` is
 * `dt:1.2.3-linux-x64`. Throws DT_BAD_PREFIX, DT_BAD_REFERENCE.
 */
export function placePluginArtifact(target: string, plugin: PluginMetadata, fileName: string): TaggedReference {
  const { prefix, tag = chartTag(plugin.version + readPlatformSuffix(fileName, plugin)) } = splitArtifactTarget(target);
  return placeArtifact(prefix, { name: plugin.name, tag });
}

function readPlatformSuffix(fileName: string, { name, version }: PluginMetadata): string {
  const start = `${name}-${version}-`;
  return fileName.startsWith(start) && fileName.endsWith(PACKAGE_EXTENSION)
    ? fileName.slice(start.length - 1, -PACKAGE_EXTENSION.length)
    : '';
}

function describeProvenance(bytes: Buffer): Descriptor {
  return { mediaType: MEDIA_TYPE_PROVENANCE, digest: digestOf(bytes), size: bytes.length };
}
