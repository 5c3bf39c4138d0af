import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNoProxy } from '../../../../src/transport/connections/no-proxy.ts';

const TABLE: readonly (readonly [value: string, direct: readonly string[], proxied: readonly string[]])[] = [
  ['', [], ['https://a.example', 'http://10.0.0.1']],
  [' , ,, ', [], ['https://a.example']],
  ['*', ['https://a.example', 'http://10.0.0.1', 'https://[2001:db8::1]:5000'], []],
  ['b.example, *', ['https://a.example'], []],
  [
    'a.example',
    ['https://a.example', 'https://x.a.example', 'http://y.x.A.EXAMPLE:5000', 'https://a.example.'],
    ['https://ba.example', 'https://example', 'https://a.example.org'],
  ],
  ['.a.example', ['https://a.example', 'https://x.a.example'], ['https://xa.example']],
  ['*.a.example', ['https://a.example', 'https://x.a.example'], ['https://xa.example']],
  ['A.Example.', ['https://a.example'], []],
  ['bücher.example', ['https://xn--bcher-kva.example'], []],
  ['intern', ['http://intern', 'http://x.intern'], ['http://internal']],
  ['a.example b.example\tc.example', ['https://a.example', 'https://b.example', 'https://c.example'], []],
  [
    'a.example:5000',
    ['https://a.example:5000', 'http://x.a.example:5000'],
    ['https://a.example', 'https://a.example:5001'],
  ],
  ['a.example:443', ['https://a.example'], ['http://a.example', 'https://a.example:8443']],
  ['a.example:80', ['http://a.example'], ['https://a.example']],
  [
    '10.0.0.1',
    ['http://10.0.0.1', 'https://10.0.0.1:5000', 'http://167772161'],
    ['http://10.0.0.2', 'http://110.0.0.1'],
  ],
  ['10.0.0.1:5000', ['http://10.0.0.1:5000'], ['http://10.0.0.1']],
  ['0.0.1', [], ['http://10.0.0.1']],
  ['10.0.0.0/8', ['http://10.255.0.1:5000', 'https://[::ffff:10.1.1.1]'], ['http://11.0.0.1', 'https://10.example']],
  ['192.0.2.128/25', ['http://192.0.2.129'], ['http://192.0.2.127']],
  ['0.0.0.0/0', ['http://192.0.2.129'], ['https://a.example', 'https://[2001:db8::1]']],
  ['2001:db8::/32', ['https://[2001:db8:1::1]:5000'], ['https://[2001:db9::1]']],
  ['2001:db8::1', ['https://[2001:db8::1]', 'https://[2001:db8:0::1]:5000'], ['https://[2001:db8::2]']],
  ['[2001:db8::1]', ['https://[2001:db8::1]:1'], []],
  ['[2001:db8::1]:5000', ['https://[2001:db8::1]:5000'], ['https://[2001:db8::1]']],
  ['10.0.0.0/33,a.example/8,/8,300.1.1.1/8,:80,http://b.example', [], ['http://10.0.0.1', 'http://b.example']],
];

for (const [value, direct, proxied] of TABLE) {
  test(`NO_PROXY="${value}"`, () => {
    const goesDirect = parseNoProxy(value);
    for (const url of direct) assert.equal(goesDirect(new URL(url)), true, url);
    for (const url of proxied) assert.equal(goesDirect(new URL(url)), false, url);
  });
}
