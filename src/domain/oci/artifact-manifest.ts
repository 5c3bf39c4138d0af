import type { Descriptor, ManifestContent } from './descriptor.ts';
import { digestOf } from './digest.ts';
import { MEDIA_TYPE_EMPTY_CONFIG, MEDIA_TYPE_OCI_MANIFEST } from './media-types.ts';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
export const EMPTY_CONFIG = Buffer.from('{}');

export interface ArtifactParts {
  readonly name: string;
  readonly version: string;
  /** The files of the artifact, each under its name. */
  readonly layers: readonly (Descriptor & { readonly title: string })[];
}

/** The manifest of an artifact that consists of files. The same parts give the same bytes. */
export function formatArtifactManifest(
  artifactType: string,
  { name, version, layers }: ArtifactParts,
): ManifestContent {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE_OCI_MANIFEST,
      artifactType,
      config: describeEmptyConfig(),
      layers: layers.map(({ mediaType, digest, size, title }) => ({
        mediaType,
        digest,
        size,
        annotations: { 'org.opencontainers.image.title': title },
      })),
      annotations: { 'org.opencontainers.image.title': name, 'org.opencontainers.image.version': version },
    }),
  );
  return { descriptor: { mediaType: MEDIA_TYPE_OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length }, bytes };
}

/** The descriptor of the config of an artifact that needs none. */
export function describeEmptyConfig(): Descriptor {
  return { mediaType: MEDIA_TYPE_EMPTY_CONFIG, digest: digestOf(EMPTY_CONFIG), size: EMPTY_CONFIG.length };
}
