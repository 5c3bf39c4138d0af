import type { Descriptor, ManifestContent } from './descriptor.ts';
import { digestOf, type Digest } from './digest.ts';
import { parseManifest } from './manifest.ts';

/** What becomes of a child of an index: it stays, is replaced by another manifest, or (undefined) goes. */
export type ChildFate = 'same' | Pick<Descriptor, 'digest' | 'size'> | undefined;

/**
 * A new index with the children that are kept and everything else as in the original. Its bytes, and so its digest,
 * differ from the original: signatures of the original do not apply to it. The very same content if no child changes.
 */
export function filterIndex(index: ManifestContent, decide: (digest: Digest) => ChildFate): ManifestContent {
  const manifest = parseManifest(index);
  if (manifest.kind !== 'index') return index;
  const fates = manifest.manifests.map(({ digest }) => decide(digest));
  if (fates.every((fate) => fate === 'same')) return index;
  const document = JSON.parse(Buffer.from(index.bytes).toString('utf8')) as { manifests: object[] };
  const manifests = document.manifests.flatMap((child, position) => {
    const fate = fates[position];
    if (fate === undefined) return [];
    return [fate === 'same' ? child : { ...child, digest: fate.digest, size: fate.size }];
  });
  const bytes = Buffer.from(JSON.stringify({ ...document, manifests }));
  const { mediaType } = index.descriptor;
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
