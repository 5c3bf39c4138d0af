import type { Reference } from '../oci/reference.ts';
import { parseImageField } from './image-text.ts';

/** An image whose parts stand in fields of their own. */
export interface JoinedFields {
  readonly text: string;
  readonly reference: Reference;
  /** The field that the place is named after. */
  readonly key: string;
  /** The fields that are used. */
  readonly keys: readonly string[];
  /** False if nothing says image: a git repository has a tag too. */
  readonly isCertain: boolean;
}

/** `repository: nvcr.io/nvidia`, `image: driver`, `version: "1"` and its kin; `key` is what the map is called. */
export function joinSplitFields(node: Readonly<Record<string, unknown>>, key: string): JoinedFields | undefined {
  const field = (name: string): string => {
    const value = node[name];
    return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
  };
  const nameKey = field('image') !== '' ? 'image' : /image/i.test(key) && field('name') !== '' ? 'name' : undefined;
  const folderKeys = ['registry', 'repository'].filter((name) => field(name) !== '');
  const name = nameKey === undefined ? '' : field(nameKey);
  const hasIdentifier = /[:@][^/]*$/.test(name || field('repository'));
  const identifierKeys = hasIdentifier
    ? []
    : ['digest', 'tag', 'version'].filter((part) => field(part) !== '').slice(0, 1);
  const [identifierKey] = identifierKeys;
  // A chart has a repository and a version too; an image without a name field has a tag or is called image.
  const isNamed =
    nameKey === undefined ? folderKeys.includes('repository') : folderKeys.length > 0 || identifierKey === 'tag';
  const isImage =
    nameKey === 'image' || /image/i.test(key) || identifierKey === 'tag' || (identifierKey === 'digest' && isNamed);
  if (!isNamed || !isImage || (identifierKey === undefined && nameKey === undefined && !/image/i.test(key)))
    return undefined;
  const path = [...folderKeys.map(field), name]
    .filter((part) => part !== '')
    .join('/')
    .replaceAll(/\/{2,}/g, '/');
  const identifier = identifierKey === undefined ? '' : field(identifierKey);
  const separator = identifier === '' ? '' : /^sha\d+:/.test(identifier) ? '@' : ':';
  const text = path + separator + identifier;
  const reference = parseImageField(text);
  if (reference === undefined) return undefined;
  return {
    text,
    reference,
    key: nameKey ?? 'repository',
    keys: [...folderKeys, ...(nameKey === undefined ? [] : [nameKey])],
    isCertain: nameKey === 'image' || /image/i.test(key) || folderKeys.includes('registry'),
  };
}
