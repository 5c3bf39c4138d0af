import { isDigest, type Digest } from '../domain/oci/digest.ts';
import { isRepository } from '../domain/oci/reference.ts';
import type { RegistryErrorCode } from './registry-errors.ts';

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly tagOrDigest: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'invalid'; readonly code: RegistryErrorCode; readonly status: number; readonly message: string };

const PREFIX = '/v2/';
const UPLOAD_ID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads the path of a request. The last segments decide, because a repository may be called `blobs` or `manifests`.
 * Everything that leaves here matches the grammar of the specification: no empty, `.` or `..` segment, no separator.
 */
export function parseRoute(requestTarget: string): Route {
  const path = decodePath(requestTarget);
  if (path === '/v2' || path === PREFIX) return { kind: 'base' };
  if (path?.startsWith(PREFIX) !== true) return reject('UNSUPPORTED', 404, 'the path is not one of the registry API');
  const rest = path.slice(PREFIX.length);
  if (rest === '_catalog') return { kind: 'catalog' };

  const segments = rest.split('/');
  const last = segments.pop() ?? '';
  const resource = segments.pop();
  if (resource === 'uploads' && segments.at(-1) === 'blobs') {
    return withRepository(segments.slice(0, -1), (repository) => readUpload(repository, last));
  }
  if (resource === 'blobs' && last === 'uploads') {
    return withRepository(segments, (repository) => ({ kind: 'uploads', repository }));
  }
  switch (resource) {
    case 'tags':
      if (last !== 'list') break;
      return withRepository(segments, (repository) => ({ kind: 'tags', repository }));
    case 'manifests':
      return withRepository(segments, (repository) => ({ kind: 'manifest', repository, tagOrDigest: last }));
    case 'blobs':
    case 'referrers':
      return withRepository(segments, (repository) => {
        if (!isDigest(last)) return reject('DIGEST_INVALID', 400, 'the digest is not valid');
        return { kind: resource === 'blobs' ? 'blob' : 'referrers', repository, digest: last };
      });
    case undefined:
      break;
  }
  return reject('UNSUPPORTED', 404, 'the path is not one of the registry API');
}

function decodePath(requestTarget: string): string | undefined {
  const mark = requestTarget.indexOf('?');
  try {
    return decodeURIComponent(mark === -1 ? requestTarget : requestTarget.slice(0, mark));
  } catch {
    return undefined;
  }
}

function withRepository(segments: readonly string[], build: (repository: string) => Route): Route {
  const repository = segments.join('/');
  if (!isRepository(repository)) return reject('NAME_INVALID', 400, 'the repository name is not valid');
  return build(repository);
}

function readUpload(repository: string, id: string): Route {
  if (id === '') return { kind: 'uploads', repository };
  if (!UPLOAD_ID_PATTERN.test(id)) return reject('BLOB_UPLOAD_UNKNOWN', 404, 'there is no such upload');
  return { kind: 'upload', repository, id };
}

function reject(code: RegistryErrorCode, status: number, message: string): Route {
  return { kind: 'invalid', code, status, message };
}
