import type { CheckedContent } from '../../content/checked-content.ts';
import { isDtError } from '../../domain/errors.ts';
import type { ImagesLock } from '../../domain/lock/images-lock.ts';
import { digestHex, type Digest } from '../../domain/oci/digest.ts';
import { layoutName } from '../../domain/oci/image-layout.ts';
import { manifestSuccessors, parseManifest } from '../../domain/oci/manifest.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import { LAYOUT_VERSION, type WrapContent } from './wrap-content.ts';

const NAMED_LAYOUT_PATTERN = /([a-f0-9]{64,128})\.layout$/;

/**
 * Finds layouts of which other tools, which read nothing but a layout, would make something else than we do: each must name one
 * manifest, which lies in it. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export function checkLayouts({ layouts }: WrapContent, damages: DamageList): void {
  for (const [path, layout] of layouts) {
    if (!layout.isKnown) {
      damages.add('DT_WRAP_INVALID', `the layout is not of version ${LAYOUT_VERSION}`, { entry: `${path}/oci-layout` });
    }
    const { root } = layout;
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
export async function checkPlatformLayouts(
  folder: string,
  lock: ImagesLock,
  wrap: WrapContent,
  damages: DamageList,
): Promise<void> {
  const { content, layouts } = wrap;
  // A lock can name an image thousands of times.
  const absent = new Map<Digest, readonly Digest[] | undefined>();
  for (const { image, digests } of lock.images) {
    for (const { digest } of digests) {
      const path = folder + layoutName(digest);
      const layout = layouts.get(path);
      if (!absent.has(digest)) absent.set(digest, await listAbsent(content, digest, layout?.digests));
      const missing = absent.get(digest);
      // A manifest that is missing is known already.
      if (missing === undefined) continue;
      if (layout === undefined) {
        damages.add('DT_WRAP_INCOMPLETE', 'the image has no layout', { entry: path, digest, image });
        continue;
      }
      for (const successor of missing) {
        damages.add('DT_WRAP_INCOMPLETE', 'the blob is not in the layout of its image', {
          entry: path,
          digest: successor,
          image,
        });
      }
    }
  }
}

/** What a manifest needs and the wrap has, but not among these; undefined if the manifest is not there. */
async function listAbsent(
  content: CheckedContent,
  digest: Digest,
  present: ReadonlySet<Digest> = new Set(),
): Promise<Digest[] | undefined> {
  if (!content.has(digest)) return undefined;
  try {
    const successors = manifestSuccessors(parseManifest(await content.readManifest(digest)));
    return successors.map((descriptor) => descriptor.digest).filter((item) => !present.has(item) && content.has(item));
  } catch (error) {
    // What is wrong with a manifest is found where its image is checked.
    if (isDtError(error)) return [];
    throw error;
  }
}
