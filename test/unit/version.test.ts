import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PRODUCT_VERSION } from '../../src/domain/product.ts';
import { isYamlMap, parseYaml } from '../../src/domain/yaml/parse-yaml.ts';

test('Helm is told the version that the program tells', () => {
  const path = join(import.meta.dirname, '..', '..', 'plugin.yaml');
  const plugin = parseYaml(readFileSync(path, 'utf8'), path);
  assert.equal(isYamlMap(plugin) ? plugin['version'] : undefined, PRODUCT_VERSION);
});
