import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDtError } from '../../../../src/domain/errors.ts';
import { formatReference, parseReference } from '../../../../src/domain/oci/reference.ts';
import { parseMapFile } from '../../../../src/domain/relocation/parse-map-file.ts';
import { pushTarget, relocateReference } from '../../../../src/domain/relocation/relocate-reference.ts';
import { parseRelocationMapping } from '../../../../src/domain/relocation/relocation-mapping.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import type { RelocationRule } from '../../../../src/domain/relocation/relocation-rule.ts';

const PREFIX = parseRelocationPrefix('acme.com/federal');
/** By the naming. */
const UNMAPPED = 'unmapped';

function map(image: string, from: string, to: string, more: Partial<RelocationRule> = {}): string {
  const rule: RelocationRule = { ...PREFIX, mappings: [parseRelocationMapping(from, to)], ...more };
  const reference = parseReference(image);
  const once = relocateReference(reference, rule);
  assert.deepEqual(relocateReference(once, rule), once, 'twice is once');
  assert.deepEqual(relocateReference(parseReference(formatReference(once)), rule), once, 'twice is once, as texts');
  assert.deepEqual(pushTarget(once, rule), pushTarget(reference, rule));
  const { mappings: _, ...bare } = rule;
  return formatReference(once) === formatReference(relocateReference(reference, bare))
    ? UNMAPPED
    : formatReference(once);
}

describe('a mapping', () => {
  for (const [image, from, to, wanted] of [
    // Beginnings end where a part ends.
    ['quay.io/prometheus/node:1', 'quay.io/prometheus', 'mon', 'acme.com/federal/mon/node:1'],
    ['quay.io/prometheus/a/b:1', 'quay.io/prometheus', 'mon/x', 'acme.com/federal/mon/x/a/b:1'],
    ['quay.io/prometheus-x/node:1', 'quay.io/prometheus', 'mon', UNMAPPED],
    ['quay.io/prometheus/node:1', 'quay.io/prometheus/node', 'exporter', 'acme.com/federal/exporter:1'],
    ['quay.io/a/b/c:1', 'quay.io', 'q', 'acme.com/federal/q/a/b/c:1'],
    ['quay.io:443/a/b/c:1', 'quay.io', 'q', UNMAPPED],
    ['QUAY.io/a/b/c:1', 'quay.IO', 'q', 'acme.com/federal/q/a/b/c:1'],
    ['localhost:5000/x:1', 'localhost:5000', 'q', 'acme.com/federal/q/x:1'],
    // A star stays within a part, two do not.
    ['bitnami/nginx:1', 'docker.io/bitnami/*', 'b/*', 'acme.com/federal/b/nginx:1'],
    ['bitnami/charts/nginx:1', 'docker.io/bitnami/*', 'b/*', UNMAPPED],
    ['bitnami/charts/nginx:1', 'docker.io/bitnami/**', 'b/**', 'acme.com/federal/b/charts/nginx:1'],
    ['bitnami/charts/nginx:1', 'docker.io/bitnami/**', 'b/*', 'acme.com/federal/b/charts/nginx:1'],
    ['bitnami/node-exporter:1', 'docker.io/bitnami/node-*', 'n/*', 'acme.com/federal/n/exporter:1'],
    ['bitnami/node:1', 'docker.io/bitnami/node-*', 'n/*', UNMAPPED],
    ['quay.io/a/x/b:1', 'quay.io/*/x/*', '*-x/*', 'acme.com/federal/a-x/b:1'],
    ['quay.io/a/x/b:1', 'quay.io/*/x/*', 'only/*', 'acme.com/federal/only/b:1'],
    ['quay.io/a/nginx:1', 'quay.io/*/nginx', 'web', 'acme.com/federal/web:1'],
    // A point is a point.
    ['quayxio.org/a/b:1', 'quay.io', 'q', UNMAPPED],
    // Registries may have stars, too.
    ['eu.gcr.io/p/x:1', '*.gcr.io/**', 'google/*/**', 'acme.com/federal/google/eu/p/x:1'],
    ['host:5000/p/x:1', '*/**', '*/**', 'acme.com/federal/host_5000/p/x:1'],
    ['quay.io/p/q/x:1', '*/**', 'other.io/**', 'other.io/p/q/x:1'],
    ['quay.io/p/x:1', '*/*/x', '*-*/x', 'acme.com/federal/quay.io-p/x:1'],
    ['quay.io/p/q/x:1', '*/*/x', '*-*/x', UNMAPPED],
    // Docker Hub by all its names.
    ['nginx:1', 'docker.io/nginx', 'web', 'acme.com/federal/web:1'],
    ['nginx:1', 'index.docker.io/library/nginx', 'web', 'acme.com/federal/web:1'],
    ['library/nginx:1', 'registry-1.docker.io/*', 'web/*', 'acme.com/federal/web/nginx:1'],
    ['bitnami/nginx:1', 'docker.io/*', 'web/*', UNMAPPED],
    ['bitnami/nginx:1', 'docker.io/bitnami', 'web', 'acme.com/federal/web/nginx:1'],
    // To a registry of its own.
    ['quay.io/a/b:1', 'quay.io/a/*', 'other.io/path/*', 'other.io/path/b:1'],
    ['quay.io/a/b/c:1', 'quay.io/a/**', 'other.io/**', 'other.io/b/c:1'],
    ['quay.io/a/b:1', 'quay.io', 'other.io:5000', 'other.io:5000/a/b:1'],
    ['quay.io/a/b:1', 'quay.io/a/*', 'docker.io/*', 'docker.io/library/b:1'],
    ['quay.io/a/b:1', 'quay.io/a', 'index.docker.io/me', 'docker.io/me/b:1'],
    ['quay.io/a/b:1', 'quay.io/a', 'acme.com/federal/x', 'acme.com/federal/x/b:1'],
  ] as const) {
    it(`${from} to ${to}: ${image}`, () => {
      assert.equal(map(image, from, to), wanted);
    });
  }

  it('is the first that matches', () => {
    const mappings = [parseRelocationMapping('quay.io/a/b', 'first'), parseRelocationMapping('quay.io/a', 'second')];
    const place = (image: string): string =>
      formatReference(relocateReference(parseReference(image), { ...PREFIX, mappings }));
    assert.equal(place('quay.io/a/b:1'), 'acme.com/federal/first:1');
    assert.equal(place('quay.io/a/c:1'), 'acme.com/federal/second/c:1');
    assert.equal(place('quay.io/x/c:1'), 'acme.com/federal/x/c:1');
  });

  it('says nothing of what lies under the prefix', () => {
    assert.equal(map('acme.com/federal/a/b:1', 'acme.com/federal/a', 'other.io/x'), UNMAPPED);
  });

  it('to itself leaves an image where it is', () => {
    assert.equal(map('quay.io/a/b:1', 'quay.io/**', 'quay.io/**'), 'quay.io/a/b:1');
  });

  it('counts for reading and for writing', () => {
    const pull = parseRelocationPrefix('cache.local/p');
    assert.equal(map('quay.io/a/b:1', 'quay.io/a', 'q', { pull }), 'cache.local/p/q/b:1');
    assert.equal(map('quay.io/a/b:1', 'quay.io/a', 'acme.com/federal/q', { pull }), 'cache.local/p/q/b:1');
    assert.equal(map('quay.io/a/b:1', 'quay.io/a', 'other.io/q', { pull }), 'other.io/q/b:1');
    const rule: RelocationRule = {
      ...PREFIX,
      pull,
      mappings: [parseRelocationMapping('quay.io/a', 'cache.local/p/q')],
    };
    assert.equal(formatReference(pushTarget(parseReference('quay.io/a/b:1'), rule)), 'acme.com/federal/q/b:1');
  });

  it('keeps to the depth under the prefix', () => {
    assert.equal(map('quay.io/a/b/c:1', 'quay.io', 'q', { maxDepth: 3 }), 'acme.com/federal/q-a-b/c:1');
    assert.equal(map('quay.io/a/b/c:1', 'quay.io', 'other.io/q', { maxDepth: 3 }), 'other.io/q/a/b/c:1');
  });

  it('fails for a name that no registry takes', () => {
    assert.throws(
      () => map('quay.io/a/b-nginx:1', 'quay.io/a/*nginx', 'x/*'),
      (error) => isDtError(error, 'DT_RELOCATION_FAILED'),
    );
  });

  for (const [from, to] of [
    ['bitnami/*', 'x/*'],
    ['nginx', 'x'],
    ['', 'x'],
    ['*', '*'],
    ['*.gcr.io', 'x'],
    ['**/nginx', 'x'],
    ['quay.io/', 'x'],
    ['quay.io/a:1', 'x'],
    ['quay.io/a@sha256', 'x'],
    ['quay.io/A', 'x'],
    ['quay.io/***', '*'],
    ['https://quay.io/a', 'x'],
    ['quay.io/a', ''],
    ['quay.io/a', 'x/'],
    ['quay.io/a', '/x'],
    ['quay.io/a', 'X'],
    ['quay.io/a', 'oci://other.io/x'],
    ['quay.io/a', 'x/*'],
    ['quay.io/*', 'x'],
    ['quay.io/*', '*/*'],
    ['quay.io/*/*/*/*/*', 'x/*'],
    [`quay.io/${'x'.repeat(700)}`, 'x'],
  ]) {
    it(`is refused: ${String(from).slice(0, 40)} to ${String(to)}`, () => {
      assert.throws(
        () => parseRelocationMapping(from ?? '', to ?? ''),
        (error) => isDtError(error, 'DT_CONFIG_INVALID'),
      );
    });
  }
});

describe('parseMapFile', () => {
  it('reads YAML and JSON', () => {
    const yaml = parseMapFile('# ours\n- from: quay.io/a\n  to: x\n- {from: "docker.io/b/*", to: "y/*"}\n', 'map.yaml');
    const json = parseMapFile(
      '[\n\t{"from": "quay.io/a", "to": "x"},\n\t{"from": "docker.io/b/*", "to": "y/*"}\n]',
      'm.json',
    );
    assert.equal(yaml.length, 2);
    assert.deepEqual(json, yaml);
  });

  for (const [what, text, line] of [
    ['an unknown key', '- from: quay.io/a\n  to: x\n  tag: 1\n', 3],
    ['a key twice', '- from: quay.io/a\n  to: x\n  to: y\n', 3],
    ['no from', '- from: quay.io/a\n  to: x\n- to: x\n', 3],
    ['no to', '- from: quay.io/a\n  to: x\n\n- from: x.io\n', 4],
    ['a number', '- from: quay.io/a\n  to: 12\n', 2],
    ['a pattern that is none', '- from: quay.io/a\n  to: x\n- from: nginx\n  to: x\n', 3],
    ['an item that is no map', '- from: quay.io/a\n  to: x\n- x\n', 3],
    ['text that is no YAML', '- from: quay.io/a\n  to: [x\n', 3],
    ['no list', 'from: quay.io/a\nto: x\n', undefined],
    ['an empty list', '[]', undefined],
    ['nothing', '', undefined],
    ['two documents', '- {from: quay.io/a, to: x}\n---\n- {from: quay.io/b, to: y}\n', undefined],
    ['too many mappings', '- {from: quay.io/a, to: x}\n'.repeat(10_001), undefined],
  ] as const) {
    it(`refuses ${what}, with its line`, () => {
      assert.throws(
        () => parseMapFile(text, 'map.yaml'),
        (error) =>
          isDtError(error, 'DT_CONFIG_INVALID') &&
          error.message.includes('map.yaml') &&
          (line === undefined || error.message.includes(`(line ${String(line)})`)),
      );
    });
  }
});
