import { isSequentialStore } from '../../content/store.ts';
import type { OpenedWrap } from '../opening/opened-wrap.ts';
import type { CheckedUnwrap } from './check-target.ts';
import type { AttachedPush } from './push-attached.ts';

/** What is attached to images and charts, of a wrap that is read once: its blobs must be taken when they come, with those of the images. */
export function listCompanions(
  { images, charts }: CheckedUnwrap,
  { store: source }: Pick<OpenedWrap, 'store'>,
): AttachedPush[] {
  if (!isSequentialStore(source) || source.maxPasses !== 1) return [];
  return [
    ...images.map(({ push: { image, target, attached } }) => ({ image: image.image, source, target, attached })),
    ...charts.map(({ prepared: { target, attached }, tag }) => ({ image: tag.image, source, target, attached })),
  ];
}
