import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLinkLocal, isLoopback, isPrivate } from '../../../../src/transport/connections/address-rules.ts';

/** As in the host of a URL: decimal, octal and hexadecimal spellings are resolved by then. */
const hostOf = (host: string): string => new URL(`https://${host}/`).hostname;

const TABLE = [
  [
    isLoopback,
    [
      ...[
        'localhost',
        'a.localhost',
        'LOCALHOST.',
        '127.0.0.1',
        '127.9.9.9',
        '127.1',
        '0x7f.1',
        '2130706433',
        '0177.0.0.1',
      ],
      ...['[::1]', '0.0.0.0', '[::]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]'],
    ],
    ['localhost.com', '128.0.0.1', '[::2]', '127.example.com', '10.0.0.1', 'notlocalhost'],
  ],
  [
    isPrivate,
    ['10.0.0.1', '172.16.0.1', '172.31.0.1', '192.168.1.1', '[fc00::1]', '[fd12::1]', '127.0.0.1', '[::ffff:10.0.0.1]'],
    ['11.0.0.1', '172.15.0.1', '172.32.0.1', '192.169.1.1', '10.example.com', 'fd.example.com', '[2001:db8::1]'],
  ],
  [
    isLinkLocal,
    [
      ...['169.254.169.254', '169.254.170.2', '2852039166', '0xa9fea9fe', '0xa9.0xfe.43518', '0251.0376.0251.0376'],
      ...['[::ffff:169.254.169.254]', '[::169.254.169.254]', '[64:ff9b::a9fe:a9fe]', '[::ffff:0:169.254.169.254]'],
      ...['[fe80::1]', '[febf::1]', '[fd00:ec2::254]', '[fd00:ec2:0:0:0:0:0:254]', 'metadata.google.internal'],
      ...['Metadata.Google.Internal.', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
    ],
    ['169.253.0.1', '169.254.example.com', '[fec0::1]', 'fe80.example.com', '100.100.100.201', 'google.internal'],
  ],
] as const;

for (const [rule, matching, others] of TABLE) {
  test(`${rule.name} of hosts of URLs`, () => {
    for (const host of matching) assert.equal(rule(hostOf(host)), true, host);
    for (const host of others) assert.equal(rule(hostOf(host)), false, host);
  });
}
