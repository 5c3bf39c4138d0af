import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePluginMetadata } from '../../../../src/domain/plugin/plugin-metadata.ts';

function parse(text: string): unknown {
  return parsePluginMetadata(Buffer.from(text), 'plugin.yaml');
}

test('name and version are read from both forms of plugin.yaml', () => {
  assert.deepEqual(parse('name: dt\nversion: 1.2.3\nusage: x\n'), { name: 'dt', version: '1.2.3' });
  const newer = 'apiVersion: v1\ntype: cli/v1\nname: a_B-1\nversion: "1.2.3-rc.1+build"\nruntime: subprocess\n';
  assert.deepEqual(parse(newer), { name: 'a_B-1', version: '1.2.3-rc.1+build' });
});

test('what Helm would not load is refused', () => {
  const refused = [
    'version: 1.2.3\n',
    'name: dt\n',
    'name: ../dt\nversion: 1.2.3\n',
    'name: dt\nversion: v1.2.3\n',
    'name: dt\nversion: 1.2\n',
    'name: dt\nversion: 01.2.3\n',
    'name: [dt]\nversion: 1.2.3\n',
    '- name: dt\n',
  ];
  for (const text of refused) assert.throws(() => parse(text), { code: 'DT_PLUGIN_INVALID' }, text);
  assert.throws(() => parse('name: ['), { code: 'DT_YAML_INVALID' });
});
