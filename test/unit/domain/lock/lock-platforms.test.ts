import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findKeptManifests, lockDigestsOf, type ResolvedImage } from '../../../../src/domain/lock/lock-platforms.ts';
import type { Descriptor } from '../../../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { MEDIA_TYPE_DOCKER_MANIFEST, MEDIA_TYPE_OCI_MANIFEST } from '../../../../src/domain/oci/media-types.ts';
import { parsePlatform, type Platform } from '../../../../src/domain/oci/platform.ts';

const entryOf = (platform: string, extra: Partial<Descriptor> = {}): Descriptor => ({
  mediaType: MEDIA_TYPE_OCI_MANIFEST,
  digest: digestOf(platform),
  size: 1,
  platform: parsePlatform(platform),
  ...extra,
});
const withoutPlatform = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });
const indexOf = (...manifests: Descriptor[]): ResolvedImage => ({
  kind: 'index',
  leaves: manifests.map((descriptor) => ({ descriptor, platform: descriptor.platform, indexes: [] })),
});
const platforms = (...texts: string[]): Platform[] => texts.map(parsePlatform);

const IMAGE = indexOf(
  entryOf('linux/amd64'),
  entryOf('linux/arm/v6', { mediaType: MEDIA_TYPE_DOCKER_MANIFEST }),
  entryOf('linux/arm/v7'),
  entryOf('unknown/unknown'),
  entryOf('unknown/unknown', {
    digest: digestOf('attestation'),
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  }),
);

test('without a filter all but attestations are there, in order and without variants', () => {
  assert.deepEqual(lockDigestsOf(IMAGE, 'x'), [
    { digest: digestOf('linux/amd64'), arch: 'linux/amd64' },
    { digest: digestOf('linux/arm/v6'), arch: 'linux/arm' },
    { digest: digestOf('linux/arm/v7'), arch: 'linux/arm' },
    { digest: digestOf('unknown/unknown'), arch: 'unknown/unknown' },
  ]);
});

test('with a filter the variants are written', () => {
  assert.deepEqual(lockDigestsOf(IMAGE, 'x', platforms('linux/arm', ' linux/amd64 ')), [
    { digest: digestOf('linux/amd64'), arch: 'linux/amd64' },
    { digest: digestOf('linux/arm/v6'), arch: 'linux/arm', variant: 'v6' },
    { digest: digestOf('linux/arm/v7'), arch: 'linux/arm', variant: 'v7' },
  ]);
});

test('a variant can be chosen', () => {
  assert.deepEqual(lockDigestsOf(IMAGE, 'x', platforms('linux/arm/v7')), [
    { digest: digestOf('linux/arm/v7'), arch: 'linux/arm', variant: 'v7' },
  ]);
});

test('no platform left is an error that lists what there is', () => {
  assert.throws(
    () => lockDigestsOf(IMAGE, 'x', platforms('linux/arm/v5')),
    (error: Error & { detail?: string }) => {
      assert.equal((error as { code?: string }).code, 'DT_PLATFORM_NOT_FOUND');
      for (const platform of ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7'])
        assert.ok(error.detail?.includes(platform));
      return true;
    },
  );
});

test('a single manifest takes the platform of its config', () => {
  const digest = digestOf('single');
  const image: ResolvedImage = { kind: 'manifest', digest, platform: parsePlatform('linux/arm/v7') };
  assert.deepEqual(lockDigestsOf(image, 'x'), [{ digest, arch: 'linux/arm' }]);
  assert.deepEqual(lockDigestsOf(image, 'x', platforms('linux/arm')), [{ digest, arch: 'linux/arm', variant: 'v7' }]);
});

test('what is for no platform is locked as unknown, and a single one passes every filter', () => {
  const digest = digestOf('artifact');
  const artifact: ResolvedImage = { kind: 'manifest', digest, platform: undefined };
  assert.deepEqual(lockDigestsOf(artifact, 'x'), [{ digest, arch: 'unknown/unknown' }]);
  assert.deepEqual(lockDigestsOf(artifact, 'x', platforms('linux/amd64')), [{ digest, arch: 'unknown/unknown' }]);
  const index = indexOf(entryOf('linux/arm64'), withoutPlatform(entryOf('linux/amd64')));
  assert.deepEqual(
    lockDigestsOf(index, 'x').map(({ arch }) => arch),
    ['linux/arm64', 'unknown/unknown'],
  );
  assert.deepEqual(
    lockDigestsOf(index, 'x', platforms('linux/arm64')).map(({ arch }) => arch),
    ['linux/arm64'],
  );
});

test('a bare blob in an index is no platform', () => {
  const blob = entryOf('linux/amd64', { mediaType: 'text/plain' });
  assert.deepEqual(
    lockDigestsOf(indexOf(entryOf('linux/arm64'), blob), 'x').map(({ arch }) => arch),
    ['linux/arm64'],
  );
});

test('what is kept for a lock: its manifests, their attestations and the indexes on the way', () => {
  const inner = digestOf('inner index');
  const attestation = entryOf('unknown/unknown', {
    digest: digestOf('attestation'),
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': digestOf('linux/arm/v7'),
    },
  });
  const leaves = [entryOf('linux/amd64'), entryOf('linux/arm/v7'), attestation].map((descriptor, index) => ({
    descriptor,
    platform: descriptor.platform,
    indexes: index === 0 ? [digestOf('other index')] : [inner],
  }));
  const image: ResolvedImage = { kind: 'index', leaves };
  const locked = lockDigestsOf(image, 'x', platforms('linux/arm'));
  assert.deepEqual(
    findKeptManifests(image, locked),
    new Set([digestOf('linux/arm/v7'), inner, digestOf('attestation')]),
  );
  assert.equal(findKeptManifests(image, lockDigestsOf(image, 'x')), undefined, 'everything is kept');
});
