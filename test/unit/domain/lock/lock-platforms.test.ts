import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lockDigestsOf, type ResolvedImage } from '../../../../src/domain/lock/lock-platforms.ts';
import type { Descriptor } from '../../../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_DOCKER_INDEX,
  MEDIA_TYPE_DOCKER_MANIFEST,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../../../src/domain/oci/media-types.ts';
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
  index: { kind: 'index', mediaType: MEDIA_TYPE_OCI_INDEX, manifests },
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
  assert.throws(() => lockDigestsOf({ ...image, platform: undefined }, 'x'), { code: 'DT_MANIFEST_INVALID' });
});

const BAD_ENTRIES: Readonly<Record<string, Descriptor>> = {
  'an entry without platform': withoutPlatform(entryOf('linux/amd64')),
  'an index in the index': entryOf('linux/amd64', { mediaType: MEDIA_TYPE_DOCKER_INDEX }),
  'an unknown media type': entryOf('linux/amd64', { mediaType: 'text/plain' }),
};
for (const [what, entry] of Object.entries(BAD_ENTRIES)) {
  test(`${what} is an error`, () => {
    assert.throws(() => lockDigestsOf(indexOf(entryOf('linux/arm64'), entry), 'x'), { code: 'DT_MANIFEST_INVALID' });
  });
}
