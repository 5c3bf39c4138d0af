import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { parseRoute } from '../../../src/server/parse-route.ts';

const DIGEST = digestOf('x');
const ID = '0b0f0a52-0000-4000-8000-0123456789ab';

const ROUTES: readonly [target: string, expected: object][] = [
  ['/v2', { kind: 'base' }],
  ['/v2/', { kind: 'base' }],
  ['/v2/_catalog?n=3', { kind: 'catalog' }],
  ['/v2/a/tags/list', { kind: 'tags', repository: 'a' }],
  ['/v2/a/b/c/manifests/latest', { kind: 'manifest', repository: 'a/b/c', tagOrDigest: 'latest' }],
  [`/v2/a/blobs/${DIGEST}`, { kind: 'blob', repository: 'a', digest: DIGEST }],
  [`/v2/a/blobs/${DIGEST.replace(':', '%3A')}`, { kind: 'blob', repository: 'a', digest: DIGEST }],
  [`/v2/a/referrers/${DIGEST}?artifactType=x`, { kind: 'referrers', repository: 'a', digest: DIGEST }],
  ['/v2/a/blobs/uploads/', { kind: 'uploads', repository: 'a' }],
  ['/v2/a/blobs/uploads?digest=x', { kind: 'uploads', repository: 'a' }],
  [`/v2/a/blobs/uploads/${ID}`, { kind: 'upload', repository: 'a', id: ID }],
  [
    '/v2/blobs/manifests/manifests/manifests',
    { kind: 'manifest', repository: 'blobs/manifests', tagOrDigest: 'manifests' },
  ],
  ['/v2/tags/list/tags/list', { kind: 'tags', repository: 'tags/list' }],
  [`/v2/a/blobs/uploads/manifests/x`, { kind: 'manifest', repository: 'a/blobs/uploads', tagOrDigest: 'x' }],
];

for (const [target, expected] of ROUTES) {
  test(`the route of ${target}`, () => {
    assert.deepEqual(parseRoute(target), expected);
  });
}

const REFUSED: readonly [target: string, code: string][] = [
  ['', 'UNSUPPORTED'],
  ['/', 'UNSUPPORTED'],
  ['/v1/', 'UNSUPPORTED'],
  ['/v2/a', 'UNSUPPORTED'],
  ['/v2/a/tags/all', 'UNSUPPORTED'],
  ['http://elsewhere/v2/', 'UNSUPPORTED'],
  ['/v2/%zz/tags/list', 'UNSUPPORTED'],
  ['/v2//tags/list', 'NAME_INVALID'],
  ['/v2/tags/list', 'NAME_INVALID'],
  ['/v2/A/tags/list', 'NAME_INVALID'],
  ['/v2/a//b/tags/list', 'NAME_INVALID'],
  ['/v2/../tags/list', 'NAME_INVALID'],
  ['/v2/a/../b/tags/list', 'NAME_INVALID'],
  ['/v2/a/%2e%2e/b/tags/list', 'NAME_INVALID'],
  ['/v2/..%2f..%2fetc/manifests/latest', 'NAME_INVALID'],
  ['/v2/a%5c..%5cb/tags/list', 'NAME_INVALID'],
  ['/v2/a%00/tags/list', 'NAME_INVALID'],
  ['/v2/_manifests/tags/list', 'NAME_INVALID'],
  [`/v2/${'a'.repeat(256)}/tags/list`, 'NAME_INVALID'],
  ['/v2/a/blobs/sha256:abc', 'DIGEST_INVALID'],
  ['/v2/a/blobs/..', 'DIGEST_INVALID'],
  [`/v2/a/blobs/md5:${'0'.repeat(32)}`, 'DIGEST_INVALID'],
  ['/v2/a/referrers/latest', 'DIGEST_INVALID'],
  ['/v2/a/blobs/uploads/..', 'BLOB_UPLOAD_UNKNOWN'],
  ['/v2/a/blobs/uploads/x', 'BLOB_UPLOAD_UNKNOWN'],
];

for (const [target, code] of REFUSED) {
  test(`${target.slice(0, 60)} is refused with ${code}`, () => {
    const route = parseRoute(target);
    assert.equal(route.kind === 'invalid' ? route.code : route.kind, code);
  });
}
