import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkDowngrade,
  checkForeignLayer,
  checkOnwardUrl,
  checkRealm,
} from '../../../../src/transport/connections/foreign-url-rules.ts';

const REGISTRY = 'https://registry.example/';
/** What the name of a registry leads to. */
const PUBLIC = (): Promise<readonly string[]> => Promise.resolve(['203.0.113.7']);

const REFUSED_REALMS: readonly (readonly [
  rule: string,
  registry: string,
  ...realms: readonly (string | undefined)[],
])[] = [
  ['no URL', REGISTRY, undefined, '', '/token', 'not a url'],
  ['neither https nor http', REGISTRY, 'file:///etc/passwd', 'javascript:alert(1)', 'data:text/plain,x'],
  ['neither https nor http', 'http://127.0.0.1/', 'ftp://auth.example/'],
  ['plain HTTP for a registry with TLS', REGISTRY, 'http://auth.example/', 'http://registry.example/token'],
  ['plain HTTP for a registry with TLS', 'https://127.0.0.1/', 'http://127.0.0.1:1/'],
  ['a metadata address', 'http://127.0.0.1/', 'http://169.254.169.254/', 'http://2852039166/'],
  [
    'a metadata address',
    'https://10.0.0.1/',
    'https://169.254.169.254/',
    'https://0xa9fea9fe/',
    'https://[::ffff:169.254.169.254]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[fd00:ec2::254]/',
    'https://[fe80::1]/',
    'https://metadata.google.internal/',
    'https://metadata.google.internal./',
  ],
  [
    'loopback for a public registry',
    REGISTRY,
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0.0.0.0/',
    'https://[::]/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://localhost/',
    'https://localhost./',
    'https://x.localhost/',
  ],
  [
    'a private address for a public registry',
    REGISTRY,
    'https://10.1.2.3/',
    'https://172.16.0.1/',
    'https://[fd12::1]/',
    'https://[::ffff:10.0.0.1]/',
  ],
  ['a private address for a public registry', 'https://8.8.8.8/', 'https://192.168.0.1/'],
];

for (const [rule, registry, ...realms] of REFUSED_REALMS) {
  for (const realm of realms) {
    test(`the realm ${String(realm)} is refused for ${registry}: ${rule}`, async () => {
      await assert.rejects(checkRealm(realm, new URL(registry), PUBLIC), { code: 'DT_REALM_REFUSED' });
    });
  }
}

for (const [realm, registry] of [
  ['https://auth.example/token', REGISTRY],
  ['https://registry.example:8443/token', REGISTRY],
  ['https://10.0.0.2/token', 'https://10.0.0.1/'],
  ['https://auth.example/token', 'http://127.0.0.1:5000/'],
  ['http://auth.example/token', 'http://registry.example/'],
  ['http://localhost:5001/token', 'http://127.0.0.1:5000/'],
] as const) {
  test(`the realm ${realm} is taken for ${registry}`, async () => {
    assert.equal((await checkRealm(realm, new URL(registry), PUBLIC)).href, realm);
  });
}

for (const [addresses, isTaken] of [
  [['10.0.0.7'], true],
  [['10.0.0.7', 'fd12::7'], true],
  [['10.0.0.7', '203.0.113.7'], false],
  [[], false],
  [undefined, false],
] as const) {
  test(`a private realm of a registry whose name leads to ${addresses?.join(', ') ?? 'nowhere'}`, async () => {
    const lookUp = (): Promise<readonly string[]> =>
      addresses === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(addresses);
    const pending = checkRealm('https://10.0.0.5/token', new URL(REGISTRY), lookUp);
    if (isTaken) assert.equal((await pending).host, '10.0.0.5');
    else await assert.rejects(pending, { code: 'DT_REALM_REFUSED' });
  });
}

test('a redirect leaves TLS only where nobody has to trust the answer', () => {
  const [secure, plain] = [new URL('https://registry.example/'), new URL('http://storage.example/')];
  assert.throws(
    () => {
      checkDowngrade(plain, secure, false);
    },
    { code: 'DT_REGISTRY_ERROR' },
  );
  checkDowngrade(plain, secure, true);
  checkDowngrade(secure, secure, false);
  checkDowngrade(plain, plain, false);
});

test('a request is sent on to storage anywhere but at a link-local or metadata address', () => {
  const source = new URL(REGISTRY);
  for (const target of [
    'https://storage.example/',
    'http://storage.example/',
    'https://10.0.0.1/',
    'http://127.0.0.1/',
  ]) {
    checkOnwardUrl(new URL(target), source);
  }
  for (const target of [
    'http://169.254.169.254/',
    'https://[fe80::1]/',
    'http://0xa9fea9fe/',
    'http://[::ffff:a9fe:a9fe]/',
  ]) {
    assert.throws(
      () => {
        checkOnwardUrl(new URL(target), source);
      },
      { code: 'DT_REGISTRY_ERROR' },
    );
  }
  checkOnwardUrl(new URL('http://169.254.7.8/'), new URL('http://169.254.7.7/'));
});

for (const [why, registry, ...urls] of [
  ['it is no URL', REGISTRY, '', 'layer.tgz', '/layer.tgz'],
  ['is not http or https', REGISTRY, 'file:///etc/passwd', 'ftp://vendor.example/layer', 'data:text/plain,x'],
  ['it holds a password', REGISTRY, 'https://user:secret@vendor.example/layer', 'https://user@vendor.example/layer'],
  [
    'a link-local address',
    'http://127.0.0.1:5000/',
    'http://169.254.169.254/latest/meta-data',
    'http://[fe80::1]/layer',
    'http://0xa9fea9fe/layer',
    'http://metadata.google.internal/layer',
  ],
  [
    'a private address for a public registry',
    REGISTRY,
    'https://10.0.0.5/layer',
    'http://127.0.0.1/layer',
    'http://localhost:8080/layer',
    'https://[fd12::1]/layer',
    'http://192.168.1.1/layer',
  ],
] as const) {
  for (const url of urls) {
    test(`a layer is not asked for at ${url} for ${registry}: ${why}`, async () => {
      await assert.rejects(checkForeignLayer(url, new URL(registry), PUBLIC), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'DT_REGISTRY_ERROR');
        assert.ok(error.message.includes(why), error.message);
        assert.ok(!error.message.includes('secret'));
        return true;
      });
    });
  }
}

for (const [url, registry, addresses] of [
  ['https://vendor.example/layer?sign=x', REGISTRY, ['203.0.113.7']],
  ['http://vendor.example/layer', REGISTRY, ['203.0.113.7']],
  ['http://127.0.0.1:8080/layer', 'http://127.0.0.1:5000/', []],
  ['https://10.0.0.5/layer', 'https://10.0.0.1/', []],
  ['https://10.0.0.5/layer', REGISTRY, ['10.0.0.7']],
] as const) {
  test(`a layer is asked for at ${url} for ${registry} at ${addresses.join() || 'its own address'}`, async () => {
    assert.equal((await checkForeignLayer(url, new URL(registry), () => Promise.resolve(addresses))).href, url);
  });
}
