import { isDigest, type Digest } from '../oci/digest.ts';
import { LOCK_FILE_NAME } from '../lock/images-lock.ts';
import { WRAP_DISCOVERY_PATH, WRAP_DOCUMENT_PATH, WRAP_TOC_PATH, type WrapDocument } from './wrap-document.ts';

/** A file of an OCI image layout in a wrap. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export interface LayoutPath {
  /** The folder of the layout. */
  readonly layout: string;
  /** What a blob must have; undefined for `index.json` and `oci-layout`. */
  readonly digest?: Digest;
}

const LAYOUT_PATTERN =
  /^(?:[^/]+\/)?(?:images\/[^/]+\.layout|artifacts(?:\/[^/]+){2,4})\/(?:index\.json|oci-layout|blobs\/.*)$/;
const BLOB_PATTERN = /^(.*)\/blobs\/(sha256|sha512)\/([a-f0-9]+)$/;

/** What a path says, with or without the top folder; undefined if it is not one in a layout. */
export function parseLayoutPath(path: string): LayoutPath | undefined {
  if (!LAYOUT_PATTERN.test(path)) return undefined;
  const [, layout = '', algorithm, hex] = BLOB_PATTERN.exec(path) ?? [];
  const digest = `${algorithm ?? ''}:${hex ?? ''}`;
  if (isDigest(digest)) return { layout, digest };
  return /\/blobs\//.test(path) ? undefined : { layout: path.slice(0, path.lastIndexOf('/')) };
}

/** Tells which paths a wrap of this document may have. `topFolder` is where `.dt/` lies. */
export function createPathFilter(document: WrapDocument, topFolder: string): (path: string) => boolean {
  const chartPaths = document.charts.map(({ path }) => path);
  const folders =
    document.kind === 'container' ? [topFolder] : chartPaths.map((path) => path.slice(0, path.indexOf('/')));
  const listed = new Set<string>([
    `${topFolder}/${WRAP_DOCUMENT_PATH}`,
    `${topFolder}/${WRAP_TOC_PATH}`,
    ...(document.kind === 'container' ? [`${topFolder}/${LOCK_FILE_NAME}`] : [`${topFolder}/${WRAP_DISCOVERY_PATH}`]),
    ...chartPaths,
    ...document.blobs.flatMap(({ path }) => (path === undefined ? [] : [path])),
  ]);
  const digests = new Set(document.blobs.flatMap(({ digest, path }) => (path === undefined ? [] : [digest])));
  const layoutFolders = folders.flatMap((folder) => [`${folder}/images/`, `${folder}/artifacts/`]);
  return (path) => {
    if (listed.has(path) || chartPaths.some((chart) => path.startsWith(`${chart}/`))) return true;
    if (!layoutFolders.some((folder) => path.startsWith(folder))) return false;
    const file = parseLayoutPath(path);
    return file !== undefined && (file.digest === undefined || digests.has(file.digest));
  };
}
