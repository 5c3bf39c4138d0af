import type { ManifestContent } from './descriptor.ts';
import { digestOf, type Digest } from './digest.ts';
import { parseManifest } from './manifest.ts';

/**
 * A new index with the children that are kept and everything else as in the original. Its bytes, and so its digest,
 * differ from the original: signatures of the original do not apply to it.
 */
export function filterIndex(index: ManifestContent, isKept: (digest: Digest) => boolean): ManifestContent {
  const manifest = parseManifest(index);
  if (manifest.kind !== 'index') return index;
  const document = JSON.parse(Buffer.from(index.bytes).toString('utf8')) as { manifests: unknown[] };
  const manifests = document.manifests.filter((_, position) => {
    const child = manifest.manifests[position];
    return child !== undefined && isKept(child.digest);
  });
  const bytes = Buffer.from(JSON.stringify({ ...document, manifests }));
  const { mediaType } = index.descriptor;
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
