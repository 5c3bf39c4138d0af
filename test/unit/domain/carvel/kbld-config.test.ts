import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatKbldLock } from '../../../../src/domain/carvel/format-kbld-config.ts';
import { isKbldConfig, parseKbldConfig } from '../../../../src/domain/carvel/parse-kbld-config.ts';
import { parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';
import { readGoldenText } from '../lock/golden-files.ts';

const LOCK = 'kbld/config-rules/output/kl.yml';

function parse(text: string): ReturnType<typeof parseKbldConfig> {
  return parseKbldConfig(parseYaml(text, 'c.yml') as Record<string, unknown>, 'c.yml');
}

describe('parseKbldConfig', () => {
  it('reads what kbld writes, and formatKbldLock writes it again', () => {
    const text = readGoldenText(LOCK).replace(/^minimumRequiredVersion: .*\n/m, '');
    const { overrides, searchRules } = parse(text);
    assert.equal(overrides.length, 5);
    assert.equal(searchRules.length, 3);
    const images = overrides.map(({ matcher, newImage }) => ({
      image: 'image' in matcher ? matcher.image : '',
      newImage,
    }));
    assert.equal(formatKbldLock(images, searchRules), text);
  });

  it('takes keys for names, an override for what it says', () => {
    const { overrides, searchRules } = parse(`
keys: [sidecar]
overrides:
- {imageRepo: a/b, newImage: "c:1", platformSelection: {os: linux, architecture: arm, variant: v7, os.version: "1"}}
searchRules:
- valueMatcher: {imageRepo: x}
  updateStrategy: {none: {}}
`);
    assert.deepEqual(overrides, [
      {
        matcher: { imageRepo: 'a/b' },
        newImage: 'c:1',
        isPreresolved: false,
        origins: [],
        platform: { os: 'linux', architecture: 'arm', variant: 'v7', osVersion: '1' },
        file: 'c.yml',
      },
    ]);
    assert.deepEqual(searchRules, [
      { key: { name: 'sidecar' }, update: { kind: 'entireValue' } },
      { value: { imageRepo: 'x' }, update: { kind: 'none' } },
    ]);
  });

  for (const [text, why] of [
    ['sources: [{image: a, path: .}]', /images to be built/],
    ['destinations: [{image: a}]', /images to be built/],
    ['overrides: [{newImage: a}]', /image or imageRepo of an override/],
    ['overrides: [{image: a}]', /newImage of the override of a/],
    ['overrides: {image: a}', /overrides is not a list/],
    ['overrides: [{image: a, newImage: b, tagSelection: {semver: {}}}]', /selects a tag/],
    ['overrides: [{image: a, newImage: b, platformSelection: {os: linux}}]', /needs os and architecture/],
    ['searchRules: [{}]', /needs a keyMatcher or a valueMatcher/],
    ['searchRules: [{keyMatcher: {}}]', /needs a name or a path/],
    ['searchRules: [{keyMatcher: {path: [{}]}}]', /a part of a path/],
    ['searchRules: [{keyMatcher: {name: a}, updateStrategy: {}}]', /is one of none, entireValue, json, yaml/],
    ['keys: [1]', /a key is missing or no text/],
  ] as const) {
    it(`refuses ${text}`, () => {
      assert.throws(() => parse(text), { code: 'DT_CONFIG_INVALID', message: why });
    });
  }

  it('refuses rules in rules without end', () => {
    const nested = Array.from({ length: 12 }).reduce<unknown>(
      (inner) => [{ keyMatcher: { name: 'a' }, updateStrategy: { yaml: { searchRules: inner } } }],
      [],
    );
    assert.throws(() => parseKbldConfig({ searchRules: nested }, 'c.yml'), {
      code: 'DT_CONFIG_INVALID',
      message: /too deeply/,
    });
  });
});

it('isKbldConfig knows the older kinds, and no others', () => {
  const apiVersion = 'kbld.k14s.io/v1alpha1';
  for (const kind of ['Config', 'Sources', 'ImageOverrides', 'ImageDestinations', 'ImageKeys']) {
    assert.ok(isKbldConfig({ apiVersion, kind }), kind);
  }
  assert.ok(!isKbldConfig({ apiVersion, kind: 'Pod' }));
  assert.ok(!isKbldConfig({ apiVersion: 'v1', kind: 'Config' }));
});
