import { isDtError } from '../../domain/errors.ts';
import type { ImagesLock } from '../../domain/lock/images-lock.ts';
import { digestHex, type Digest } from '../../domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../../domain/oci/manifest.ts';
import { MEDIA_TYPE_OCI_INDEX } from '../../domain/oci/media-types.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import type { WrapContent, WrapLayout } from './wrap-content.ts';

const LAYOUT_VERSION = '1.0.0';
const NAMED_LAYOUT_PATTERN = /([a-f0-9]{64,128})\.layout$/;

/**
 * Finds layouts of which other tools, which read nothing but a layout, would make something else than we do: each must name one
 * manifest, which lies in it. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export function checkLayouts({ layouts }: WrapContent, damages: DamageList): void {
  for (const [path, layout] of layouts) {
    if (readLayoutVersion(layout) !== LAYOUT_VERSION) {
      damages.add('DT_WRAP_INVALID', `the layout is not of version ${LAYOUT_VERSION}`, { entry: `${path}/oci-layout` });
    }
    const root = readLayoutRoot(layout);
    const hex = NAMED_LAYOUT_PATTERN.exec(path)?.[1];
    const place = { entry: `${path}/index.json`, digest: root };
    if (root === undefined) damages.add('DT_WRAP_INVALID', 'it does not name one manifest', place);
    else if (hex !== undefined && digestHex(root) !== hex)
      damages.add('DT_WRAP_INVALID', `it names another manifest, ${root}`, place);
    else if (!layout.digests.has(root))
      damages.add('DT_WRAP_INCOMPLETE', 'the manifest that it names is not in the layout', place);
  }
}

/** Finds platform images of the lock whose own layout, under `folder`, lacks something that the wrap has. */
export function checkPlatformLayouts(folder: string, lock: ImagesLock, wrap: WrapContent, damages: DamageList): void {
  const { content, layouts } = wrap;
  for (const { image, digests } of lock.images) {
    for (const { digest } of digests) {
      const bytes = content.blobs.get(digest)?.bytes;
      // One that is missing is known already.
      if (bytes === undefined) continue;
      const path = `${folder}${digestHex(digest)}.layout`;
      const layout = layouts.get(path);
      if (layout === undefined) {
        damages.add('DT_WRAP_INCOMPLETE', 'the image has no layout', { entry: path, digest, image });
        continue;
      }
      for (const successor of listSuccessors(digest, bytes)) {
        if (layout.digests.has(successor) || !content.has(successor)) continue;
        damages.add('DT_WRAP_INCOMPLETE', 'the blob is not in the layout of its image', {
          entry: path,
          digest: successor,
          image,
        });
      }
    }
  }
}

function listSuccessors(digest: Digest, bytes: Buffer): Digest[] {
  try {
    const manifest = parseManifest({ descriptor: { mediaType: '', digest, size: bytes.length }, bytes });
    return manifestSuccessors(manifest).map((descriptor) => descriptor.digest);
  } catch (error) {
    // What is wrong with a manifest is found where its image is checked.
    if (isDtError(error)) return [];
    throw error;
  }
}

function readLayoutRoot({ index }: WrapLayout): Digest | undefined {
  if (index === undefined) return undefined;
  try {
    const descriptor = { mediaType: MEDIA_TYPE_OCI_INDEX, digest: '' as Digest, size: index.length };
    const manifest = parseManifest({ descriptor, bytes: index });
    const [only, ...others] = manifest.kind === 'index' ? manifest.manifests : [];
    return others.length === 0 ? only?.digest : undefined;
  } catch (error) {
    if (isDtError(error)) return undefined;
    throw error;
  }
}

function readLayoutVersion({ mark }: WrapLayout): unknown {
  try {
    return (JSON.parse(Buffer.from(mark ?? []).toString()) as { imageLayoutVersion?: unknown } | null)
      ?.imageLayoutVersion;
  } catch {
    return undefined;
  }
}
