import { DtError } from '../errors.ts';
import type { Descriptor, ManifestContent } from '../oci/descriptor.ts';
import { digestOf } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { MEDIA_TYPE_EMPTY_CONFIG, MEDIA_TYPE_HELM_CHART, MEDIA_TYPE_OCI_MANIFEST } from '../oci/media-types.ts';

/** A wrap in a registry: no registered type exists. */
export const ARTIFACT_TYPE_WRAP = 'application/vnd.helm.dt.wrap.v1';
export const MEDIA_TYPE_WRAP = 'application/vnd.helm.dt.wrap.v1.tar+gzip';
/** The bundle that lies beside a signed wrap. https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto */
export const MEDIA_TYPE_WRAP_SIGNATURE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
export const EMPTY_CONFIG = Buffer.from('{}');

export interface WrapArtifactParts {
  readonly name: string;
  readonly version: string;
  /** The wrap itself, and its signature if there is one. */
  readonly layers: readonly (Descriptor & { readonly title: string })[];
}

/** The manifest of a wrap in a registry. The same parts give the same bytes. */
export function formatWrapArtifact({ name, version, layers }: WrapArtifactParts): ManifestContent {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE_OCI_MANIFEST,
      artifactType: ARTIFACT_TYPE_WRAP,
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

/** The layer with the wrap. Throws DT_WRAP_INVALID for what is something else, naming it. `location` is what messages call it. */
export function findWrapLayer(content: ManifestContent, location: string): Descriptor {
  const manifest = parseManifest(content);
  const layers = manifest.kind === 'manifest' ? manifest.layers : [];
  const wraps = layers.filter(({ mediaType }) => mediaType === MEDIA_TYPE_WRAP);
  const [wrap] = wraps;
  // Clients that know no artifact type give it to the config.
  const types = manifest.kind === 'manifest' ? [manifest.artifactType, manifest.config.mediaType] : [];
  if (wrap !== undefined && wraps.length === 1 && types.includes(ARTIFACT_TYPE_WRAP)) return wrap;
  if (layers.some(({ mediaType }) => mediaType === MEDIA_TYPE_HELM_CHART)) {
    throw new DtError('DT_WRAP_INVALID', `${location} is a Helm chart, not a wrap`, {
      hints: [`{bin} wrap ${location}`],
    });
  }
  const [type = manifest.mediaType] = types;
  const why = types.includes(ARTIFACT_TYPE_WRAP)
    ? `it has ${String(wraps.length)} layers of the type ${MEDIA_TYPE_WRAP}`
    : `its type is ${type}`;
  throw new DtError('DT_WRAP_INVALID', `${location} is not a wrap: ${why}`, {
    hints: ['{bin} push-wrap WRAP oci://…'],
  });
}
