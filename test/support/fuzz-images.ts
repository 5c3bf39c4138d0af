import { MemoryStore } from '../../src/content/memory-store.ts';
import type { AttachedGraph } from '../../src/content/image-content.ts';
import { readGraph, type Graph } from '../../src/content/read-graph.ts';
import type { LockImage } from '../../src/domain/lock/images-lock.ts';
import { attachedTag, type AttachedTagSuffix } from '../../src/domain/oci/attached-artifact.ts';
import type { Descriptor, ManifestContent } from '../../src/domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_OCI_CONFIG,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_LAYER_GZIP,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../src/domain/oci/media-types.ts';
import { formatArch, parsePlatform } from '../../src/domain/oci/platform.ts';
import type { ImageToWrap } from '../../src/workflows/wrapping/layout-writer.ts';
import { randomBytesOf } from './images.ts';

const CHART_NAME = 'demo';

/** Images in memory, without a registry: the same bytes in every run. */
export class FuzzImages {
  readonly store = new MemoryStore({ name: 'seeds', acceptSparseIndexes: true });

  /** An image of these platforms, an index of more than one. Layers that are alike are shared. */
  addImage(
    name: string,
    platforms: readonly string[],
    layers: readonly (readonly [seed: string, size: number])[],
  ): Descriptor {
    const children = platforms.map((platform) => this.#addPlatform(name, platform, layers));
    const [only] = children;
    return children.length === 1 && only !== undefined ? only : this.addIndex(children);
  }

  addIndex(manifests: readonly Descriptor[]): Descriptor {
    return this.#addManifest({ schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests }, MEDIA_TYPE_OCI_INDEX);
  }

  /** A manifest that is attached to the subject, as cosign writes it. */
  addArtifact(subject: Digest, text: string): Descriptor {
    const config = this.addBlob(Buffer.from('{}'), MEDIA_TYPE_OCI_CONFIG);
    const signed = JSON.stringify({ critical: { image: { 'docker-manifest-digest': subject } }, text });
    const layer = this.addBlob(Buffer.from(signed), 'application/vnd.dev.cosign.simplesigning.v1+json');
    return this.addManifest(config, [layer]);
  }

  addManifest(config: Descriptor, layers: readonly Descriptor[]): Descriptor {
    const mediaType = MEDIA_TYPE_OCI_MANIFEST;
    return this.#addManifest({ schemaVersion: 2, mediaType, config, layers }, mediaType);
  }

  addBlob(bytes: Buffer, mediaType: string): Descriptor {
    const digest = digestOf(bytes);
    this.store.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** The manifest of an attestation of BuildKit, as it stands in the index of its image. */
  addAttestation(subject: Digest): Descriptor {
    return {
      ...this.addArtifact(subject, 'provenance'),
      platform: parsePlatform('unknown/unknown'),
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': subject },
    };
  }

  async attach(subject: Digest, artifact: Descriptor, suffix?: AttachedTagSuffix): Promise<AttachedGraph> {
    const tag = suffix === undefined ? {} : { tag: attachedTag(subject, suffix) };
    return { artifact: { subject, digest: artifact.digest, ...tag }, graph: await this.readGraph(artifact) };
  }

  readManifest(descriptor: Descriptor): ManifestContent {
    const content = this.store.manifests.get(descriptor.digest);
    if (content === undefined) throw new Error(`no manifest ${descriptor.digest}`);
    return content;
  }

  /** `kept` are the manifests of an index that is not whole. */
  readGraph(descriptor: Descriptor, kept?: ReadonlySet<Digest>): Promise<Graph> {
    return readGraph(this.store, this.readManifest(descriptor), {
      concurrency: 4,
      selectChild: ({ digest }) => kept?.has(digest) ?? true,
    });
  }

  /** The image as it goes into a wrap: `locked` are its platforms in the lock. */
  async wrapImage(
    reference: string,
    root: Descriptor,
    locked: readonly Descriptor[],
    more: { readonly attached?: readonly AttachedGraph[]; readonly kept?: ReadonlySet<Digest> } = {},
  ): Promise<ImageToWrap> {
    const lockImage: LockImage = {
      name: reference.replace(/^.*\/|[:@].*$/g, ''),
      image: reference,
      chart: CHART_NAME,
      digests: locked.map(({ digest, platform }) => ({
        digest,
        arch: platform === undefined ? 'linux/amd64' : formatArch(platform),
      })),
    };
    const graph = await this.readGraph(root, more.kept);
    return { lockImage, graph, isFiltered: more.kept !== undefined, attached: more.attached ?? [] };
  }

  children(index: Descriptor): Descriptor[] {
    return (JSON.parse(Buffer.from(this.readManifest(index).bytes).toString()) as { manifests: Descriptor[] })
      .manifests;
  }

  #addPlatform(name: string, platformText: string, layers: readonly (readonly [string, number])[]): Descriptor {
    const platform = parsePlatform(platformText);
    const config = this.addBlob(
      Buffer.from(JSON.stringify({ ...platform, name, rootfs: { type: 'layers', diff_ids: [] } })),
      MEDIA_TYPE_OCI_CONFIG,
    );
    const blobs = layers.map(([seed, size]) => {
      const isShared = seed.startsWith('shared');
      return this.addBlob(randomBytesOf(isShared ? seed : `${seed}/${platformText}`, size), MEDIA_TYPE_OCI_LAYER_GZIP);
    });
    return { ...this.addManifest(config, blobs), platform };
  }

  #addManifest(document: object, mediaType: string): Descriptor {
    const bytes = Buffer.from(JSON.stringify(document));
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    this.store.manifests.set(descriptor.digest, { descriptor, bytes });
    return descriptor;
  }
}
