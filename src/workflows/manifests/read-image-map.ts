import { DtError } from '../../domain/errors.ts';
import type { ImageOverride } from '../../domain/manifests/image-override.ts';
import { readNamedFile } from '../read-named-file.ts';

const MAX_MAP_BYTES = 16 * 1024 * 1024;

/** The overrides of a map from old images to new ones, as CNAB writes it in JSON. Throws DT_CONFIG_INVALID, and as `readNamedFile`. */
export function readImageMap(file: string): readonly ImageOverride[] {
  const reject = (cause?: unknown): DtError =>
    new DtError(
      'DT_CONFIG_INVALID',
      `${file} is no map of images: it has to be a JSON object with a text for each image`,
      {
        cause,
      },
    );
  let map: unknown;
  try {
    map = JSON.parse(readNamedFile(file, MAX_MAP_BYTES));
  } catch (error) {
    if (error instanceof SyntaxError) throw reject(error);
    throw error;
  }
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw reject();
  return Object.entries(map).map(([image, newImage]: [string, unknown]): ImageOverride => {
    if (typeof newImage !== 'string' || newImage === '' || image === '') throw reject();
    return { matcher: { image }, newImage, isPreresolved: true, origins: [], file };
  });
}
