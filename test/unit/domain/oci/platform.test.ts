import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatArch,
  formatPlatform,
  matchesPlatform,
  parsePlatform,
  readPlatform,
} from '../../../../src/domain/oci/platform.ts';

test('parses and formats os/arch and os/arch/variant', () => {
  for (const text of ['linux/amd64', 'linux/arm/v7', 'windows/amd64', 'unknown/unknown'])
    assert.equal(formatPlatform(parsePlatform(text)), text);
  assert.deepEqual(parsePlatform(' linux/arm64/v8 '), { os: 'linux', architecture: 'arm64', variant: 'v8' });
  assert.equal(formatArch(parsePlatform('linux/arm/v7')), 'linux/arm');
});

for (const text of [
  '',
  'linux',
  'linux/',
  '/amd64',
  'linux/amd64/',
  'linux/amd64/v1/x',
  'linux amd64',
  'linux/a b',
  'linux/amd64,linux/arm64',
  '../..',
  'linux/\u001b',
]) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    // A platform is only a name to compare with: "../.." is harmless and matches nothing.
    if (text === '../..') assert.equal(formatPlatform(parsePlatform(text)), text);
    else assert.throws(() => parsePlatform(text), { code: 'DT_BAD_PLATFORM' });
  });
}

test('a wanted platform without variant takes every variant', () => {
  const matches = (platform: string, wanted: string): boolean =>
    matchesPlatform(parsePlatform(platform), parsePlatform(wanted));
  assert.equal(matches('linux/arm/v7', 'linux/arm'), true);
  assert.equal(matches('linux/arm/v7', 'linux/arm/v7'), true);
  assert.equal(matches('linux/arm/v7', 'linux/arm/v6'), false);
  assert.equal(matches('linux/arm', 'linux/arm/v7'), false);
  assert.equal(matches('linux/amd64', 'windows/amd64'), false);
  assert.equal(matches('linux/amd64', 'linux/arm64'), false);
});

test('reads what an index entry or a config says', () => {
  const full = { os: 'windows', architecture: 'amd64', variant: 'v2', 'os.version': '10.0', features: [] };
  assert.deepEqual(readPlatform(full), { os: 'windows', architecture: 'amd64', variant: 'v2', osVersion: '10.0' });
  assert.deepEqual(readPlatform({ os: 'linux', architecture: 'amd64', variant: '', 'os.version': 5 }), {
    os: 'linux',
    architecture: 'amd64',
  });
  for (const value of [
    undefined,
    null,
    'linux/amd64',
    5,
    [],
    {},
    { os: 'linux' },
    { architecture: 'amd64' },
    { os: '', architecture: 'amd64' },
    { os: 1, architecture: 2 },
  ]) {
    assert.equal(readPlatform(value), undefined);
  }
});
