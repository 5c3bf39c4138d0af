import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from '../../../../src/transport/auth/challenge.ts';

const bearer = (parameters: Record<string, string>): unknown => ({ scheme: 'bearer', parameters });
const basic = (parameters: Record<string, string> = {}): unknown => ({ scheme: 'basic', parameters });

const TABLE: readonly (readonly [header: string | undefined, expected: readonly unknown[]])[] = [
  [undefined, []],
  ['', []],
  ['   ', []],
  ['Basic', [basic()]],
  ['basic realm=x', [basic({ realm: 'x' })]],
  ['BASIC REALM="Registry Realm"', [basic({ realm: 'Registry Realm' })]],
  [
    'Bearer realm="https://a/token",service="a",scope="repository:x:pull"',
    [bearer({ realm: 'https://a/token', service: 'a', scope: 'repository:x:pull' })],
  ],
  ['Bearer  realm = "https://a" ,  service = b', [bearer({ realm: 'https://a', service: 'b' })]],
  ['Basic realm="a", Bearer realm="b"', [basic({ realm: 'a' }), bearer({ realm: 'b' })]],
  ['Bearer realm="b", Basic realm="a"', [bearer({ realm: 'b' }), basic({ realm: 'a' })]],
  ['Negotiate, Basic realm="a"', [basic({ realm: 'a' })]],
  ['Digest realm="x", nonce="y", Bearer realm="b"', [bearer({ realm: 'b' })]],
  ['Bearer realm="a,b=c"', [bearer({ realm: 'a,b=c' })]],
  [String.raw`Bearer realm="a\"b\\c"`, [bearer({ realm: 'a"b\\c' })]],
  ['Bearer realm="open', [bearer({ realm: 'open' })]],
  ['Bearer realm="open\\', [bearer({ realm: 'open' })]],
  ['Bearer realm=', [bearer({ realm: '' })]],
  ['realm="x"', []],
  [',,,= "', []],
  ['\u00e9\u0000Bearer realm="b"', [bearer({ realm: 'b' })]],
  [`Bearer realm="${'a'.repeat(9000)}"`, []],
];

for (const [header, expected] of TABLE) {
  test(`parses ${header === undefined ? 'no header' : JSON.stringify(header.slice(0, 60))}`, () => {
    assert.deepEqual(parseChallenges(header), expected);
  });
}

test('any header ends', () => {
  for (const part of ['"', '\\', ',', '=', ' ', 'a', 'a=', 'Bearer ', '"\\']) {
    // Over the limit nothing is looked at; under it a parser that goes back and forth would not end.
    assert.deepEqual(parseChallenges(part.repeat(20_000)), []);
    assert.ok(Array.isArray(parseChallenges(part.repeat(1000))), part);
  }
});
