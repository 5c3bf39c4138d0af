import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appliesTo, type HostRule } from '../../../../src/transport/connections/host-rule.ts';

const TABLE: readonly (readonly [rule: HostRule, host: string, applies: boolean])[] = [
  [true, 'a.example', true],
  [false, 'a.example', false],
  [[], 'a.example', false],
  [['a.example'], 'a.example', true],
  [['A.Example'], 'a.example', true],
  [['a.example'], 'auth.a.example', false],
  [['a.example'], 'a.example:5000', false],
  [['a.example:5000'], 'a.example:5000', true],
  [['a.example:5000'], 'a.example', false],
  [['a.example:443'], 'a.example', true],
  [['docker.io'], 'registry-1.docker.io', true],
  [['docker.io'], 'auth.docker.io', false],
];

for (const [rule, host, applies] of TABLE) {
  test(`${JSON.stringify(rule)} ${applies ? 'holds' : 'does not hold'} for ${host}`, () => {
    assert.equal(appliesTo(rule, host), applies);
  });
}
