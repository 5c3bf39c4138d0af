import { DtError } from '../errors.ts';
import { formatArtifactManifest, type ArtifactParts } from '../oci/artifact-manifest.ts';
import type { Descriptor, ManifestContent } from '../oci/descriptor.ts';
import { parseManifest } from '../oci/manifest.ts';
import { MEDIA_TYPE_HELM_CHART } from '../oci/media-types.ts';

/** A wrap in a registry: no registered type exists. */
export const ARTIFACT_TYPE_WRAP = 'application/vnd.helm.dt.wrap.v1';
export const MEDIA_TYPE_WRAP = 'application/vnd.helm.dt.wrap.v1.tar+gzip';
/** The bundle that lies beside a signed wrap. https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto */
export const MEDIA_TYPE_WRAP_SIGNATURE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** The manifest of a wrap in a registry. The same parts give the same bytes. */
export function formatWrapArtifact(parts: ArtifactParts): ManifestContent {
  return formatArtifactManifest(ARTIFACT_TYPE_WRAP, parts);
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
