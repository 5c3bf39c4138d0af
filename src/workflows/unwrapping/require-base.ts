import { DtError, type ImageFailure } from '../../domain/errors.ts';
import { formatBytes, formatCount } from '../../domain/format-quantity.ts';
import { quoteShellWord } from '../../domain/shell-word.ts';
import type { WrapBase } from '../../domain/wrap/wrap-base.ts';
import type { MissingBlob } from './find-base-blobs.ts';

const MAX_HINTS = 2;

/** Throws DT_BASE_MISSING, naming images, blobs and bases, if the target lacks something that a delta leaves out. */
export function requireBase(missing: readonly MissingBlob[], bases: readonly WrapBase[] = []): void {
  const [first] = missing;
  if (first === undefined) return;
  const images = [...new Set(missing.flatMap((blob) => blob.images))];
  const failures = images.map((image): ImageFailure => {
    const own = missing.filter((blob) => blob.images.includes(image));
    return { image, error: new DtError('DT_BASE_MISSING', describeImage(own), { side: 'destination' }) };
  });
  throw new DtError(
    'DT_BASE_MISSING',
    `the target lacks ${describeBlobs(missing)} that this delta leaves out and ${formatCount(images.length, 'image needs', 'images need')}`,
    {
      failures,
      side: 'destination',
      detail: first.reason === undefined ? 'Nothing was pushed.' : `Nothing was pushed. ${first.reason}.`,
      hints: bases.slice(0, MAX_HINTS).map(hintFor),
    },
  );
}

function describeImage(missing: readonly MissingBlob[]): string {
  const repositories = [...new Set(missing.flatMap((blob) => blob.repositories))];
  const [first] = missing;
  return `${describeBlobs(missing)} (${first?.digest ?? ''}${missing.length > 1 ? ', …' : ''}) not found in ${repositories.join(', ')}`;
}

function describeBlobs(missing: readonly MissingBlob[]): string {
  const sizeBytes = missing.reduce((sum, missed) => sum + missed.sizeBytes, 0);
  return `${formatCount(missing.length, 'blob')} of ${formatBytes(sizeBytes)}`;
}

function hintFor({ kind, name }: WrapBase): string {
  const file = quoteShellWord(name);
  switch (kind) {
    case 'wrap':
      return `{bin} unwrap ${file} PREFIX first, with the same prefix and names as here`;
    case 'lock':
      return `{bin} unwrap the wrap of ${file} first, with the same prefix and names as here`;
    case 'inventory':
      return `{bin} inventory oci://HOST and make the delta again: the target has changed since ${file}`;
  }
}
