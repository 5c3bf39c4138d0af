import { formatReference, formatRepository, type Reference } from '../oci/reference.ts';
import { findImagePlaces } from '../relocation/find-image-places.ts';
import type { KnownImages } from '../relocation/known-images.ts';
import { locateNode } from '../relocation/relocation-change.ts';
import type { YamlNode } from '../yaml/yaml-tree.ts';
import { type ValuesText, walkScalars } from './find-value-marks.ts';
import { parseLikelyImage } from './image-text.ts';

/** An image that a values file has the shape of. */
export interface ValuesImage {
  readonly reference: Reference;
  readonly file: string;
  readonly line: number;
  readonly path: string;
}

const NOWHERE = { registry: 'registry.invalid', path: '' };

/**
 * Images that values files name by their shape alone: maps with a repository and a tag or digest, and whole references
 * under a key that says image. Without a tag or digest nothing says what would be deployed.
 */
export function findDormantShapes({ file, tree }: ValuesText, known: KnownImages): readonly ValuesImage[] {
  const found = new Map<string, ValuesImage>();
  const add = (reference: Reference, node: YamlNode): void => {
    if (reference.tag === undefined && reference.digest === undefined) return;
    // No image of Docker itself has a dot: `image.repository` is the path of a value.
    if (/^library\/.*\./.test(reference.repository)) return;
    // `repository: nvcr.io/nvidia` with the name of the image beside it is the folder of an image.
    const folder = `${formatRepository(reference)}/`;
    const isFolder = known.references.some((other) => formatRepository(other).startsWith(folder));
    if (isFolder || known.hasRepository(reference)) return;
    const { line, path } = locateNode(tree, node);
    const key = `${String(line)} ${path}`;
    if (!found.has(key)) found.set(key, { reference, file, line, path });
  };
  for (const { source, node } of findImagePlaces(tree, NOWHERE, known)) {
    if (parseLikelyImage(formatReference(source), true) !== undefined) add(source, node);
  }
  for (const scalar of walkScalars(tree.roots)) {
    const key = scalar.path.findLast((part) => typeof part === 'string');
    if (typeof key !== 'string' || !/image(?:s|ref|name)?$/i.test(key)) continue;
    const reference = parseLikelyImage(scalar.text.trim(), true);
    if (reference !== undefined) add(reference, scalar);
  }
  return [...found.values()].toSorted((left, right) => left.line - right.line);
}
