import type { Descriptor } from './descriptor.ts';
import { digestAlgorithm, digestHex, type Digest } from './digest.ts';
import { MEDIA_TYPE_OCI_INDEX } from './media-types.ts';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#oci-layout-file */
export const LAYOUT_MARKER_NAME = 'oci-layout';
export const LAYOUT_INDEX_NAME = 'index.json';
const LAYOUT_EXTENSION = '.layout';
const LAYOUT_NAME_PATTERN = /^(?:[a-f0-9]{64}|[a-f0-9]{128})\.layout$/;

/** The bytes of `oci-layout`. */
export const LAYOUT_MARKER = Buffer.from(JSON.stringify({ imageLayoutVersion: '1.0.0' }, null, 2));

/** The folder of the layout of one image, as the Go tool names it. */
export function layoutName(root: Digest): string {
  return digestHex(root) + LAYOUT_EXTENSION;
}

export function isLayoutName(name: string): boolean {
  return LAYOUT_NAME_PATTERN.test(name);
}

/** Where a blob or manifest lies in a layout. */
export function layoutBlobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** The bytes of `index.json` for one image, without anything that the Go tool does not write. */
export function formatLayoutIndex({ mediaType, digest, size }: Descriptor): Buffer {
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPE_OCI_INDEX, manifests: [{ mediaType, size, digest }] };
  return Buffer.from(JSON.stringify(index, null, 2));
}
