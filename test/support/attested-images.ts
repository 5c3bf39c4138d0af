import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import type { Digest } from '../../src/domain/oci/digest.ts';
import { MEDIA_TYPE_EMPTY_CONFIG, MEDIA_TYPE_OCI_MANIFEST } from '../../src/domain/oci/media-types.ts';
import { parsePlatform } from '../../src/domain/oci/platform.ts';
import { pushBlob } from './images.ts';
import { pushRawImage, pushRawIndex, pushRawManifest, type RawRepository } from './raw-images.ts';

/** An index with a manifest, and an attestation of it, for each platform: as BuildKit writes them. */
export interface AttestedImage {
  readonly index: Descriptor;
  readonly children: ReadonlyMap<string, { readonly image: Digest; readonly attestation: Digest }>;
}

/** Pushes `TAG` with platforms such as `linux/arm/v7`. */
export async function pushAttestedImage(
  place: RawRepository,
  tag: string,
  platforms: readonly string[],
): Promise<AttestedImage> {
  const children = new Map<string, { image: Digest; attestation: Digest }>();
  const [images, attestations]: [object[], object[]] = [[], []];
  for (const platform of platforms) {
    const image = await pushRawImage(place, { platform, seed: `${place.repository} ${tag}` });
    const attestation = await pushAttestation(place, platform);
    children.set(platform, { image: image.digest, attestation: attestation.digest });
    images.push({ ...image, platform: parsePlatform(platform) });
    attestations.push({
      ...attestation,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': image.digest,
      },
    });
  }
  return { index: await pushRawIndex(place, [...images, ...attestations], { tag }), children };
}

async function pushAttestation(place: RawRepository, platform: string): Promise<Descriptor> {
  const statement = Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v0.1', platform }));
  const layers = [await pushBlob(place.host, place.repository, statement, 'application/vnd.in-toto+json')];
  return pushRawImage(place, { layers, platform: 'unknown/unknown', seed: platform });
}

/** Pushes an artifact that is attached to the subject, without a tag. The embedded registry lists it as a referrer. */
export async function pushReferrer(
  { host, repository }: RawRepository,
  subject: Pick<Descriptor, 'digest'>,
  artifactType: string,
  fields: object = {},
): Promise<Descriptor> {
  const config = await pushBlob(host, repository, Buffer.from('{}'), MEDIA_TYPE_EMPTY_CONFIG);
  const layer = await pushBlob(host, repository, Buffer.from(`${artifactType} of ${subject.digest}`), 'text/plain');
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE_OCI_MANIFEST,
    artifactType,
    config,
    layers: [layer],
    subject: { mediaType: MEDIA_TYPE_OCI_MANIFEST, size: 1, ...subject },
    ...fields,
  };
  return pushRawManifest({ host, repository }, MEDIA_TYPE_OCI_MANIFEST, document);
}
