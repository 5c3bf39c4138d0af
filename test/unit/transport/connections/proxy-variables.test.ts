import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDtError } from '../../../../src/domain/errors.ts';
import { readProxies } from '../../../../src/transport/connections/proxy-variables.ts';

type Environment = Readonly<Record<string, string>>;

const HTTPS_URL = 'https://registry.example/';
const HTTP_URL = 'http://registry.example/';

function findProxy(environment: Environment, url: string): string | undefined {
  return readProxies(environment)?.(new URL(url))?.url.href;
}

const TABLE: readonly (readonly [environment: Environment, url: string, proxy: string | undefined])[] = [
  [{}, HTTPS_URL, undefined],
  [{ HTTPS_PROXY: 'http://p:1' }, HTTPS_URL, 'http://p:1/'],
  [{ HTTPS_PROXY: 'http://p:1' }, HTTP_URL, undefined],
  [{ HTTP_PROXY: 'http://p:1' }, HTTP_URL, 'http://p:1/'],
  [{ HTTP_PROXY: 'http://p:1' }, HTTPS_URL, undefined],
  [{ https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:1' }, HTTPS_URL, 'http://low:1/'],
  [{ https_proxy: ' ', HTTPS_PROXY: 'http://up:1' }, HTTPS_URL, 'http://up:1/'],
  [{ ALL_PROXY: 'http://all:1' }, HTTPS_URL, 'http://all:1/'],
  [{ all_proxy: 'http://all:1', https_proxy: 'http://p:1' }, HTTPS_URL, 'http://p:1/'],
  [{ all_proxy: 'http://all:1', https_proxy: 'http://p:1' }, HTTP_URL, 'http://all:1/'],
  [{ HTTP_PROXY: 'http://p:1', REQUEST_METHOD: 'GET' }, HTTP_URL, undefined],
  [{ http_proxy: 'http://p:1', REQUEST_METHOD: 'GET' }, HTTP_URL, 'http://p:1/'],
  [{ https_proxy: 'proxy.example:3128' }, HTTPS_URL, 'http://proxy.example:3128/'],
  [{ https_proxy: 'user:word@proxy.example:3128' }, HTTPS_URL, 'http://proxy.example:3128/'],
  [{ https_proxy: 'https://proxy.example' }, HTTPS_URL, 'https://proxy.example/'],
  [{ https_proxy: 'http://[fd00::1]:3128/path?x' }, HTTPS_URL, 'http://[fd00::1]:3128/'],
  [{ https_proxy: 'http://p:1', no_proxy: 'registry.example' }, HTTPS_URL, undefined],
  [{ https_proxy: 'http://p:1', NO_PROXY: '.example' }, HTTPS_URL, undefined],
  [{ https_proxy: 'http://p:1', no_proxy: 'other', NO_PROXY: '.example' }, HTTPS_URL, 'http://p:1/'],
  [{ https_proxy: 'http://p:1' }, 'https://localhost:5000/', undefined],
  [{ https_proxy: 'http://p:1' }, 'https://127.1.2.3/', undefined],
  [{ https_proxy: 'http://p:1' }, 'https://[::1]/', undefined],
  [{ https_proxy: 'http://p:1' }, 'https://10.0.0.1/', 'http://p:1/'],
  [{ https_proxy: 'socks5://p:1', http_proxy: 'http://p:2' }, HTTP_URL, 'http://p:2/'],
  [{ https_proxy: 'socks5://p:1' }, 'https://localhost/', undefined],
];

for (const [environment, url, proxy] of TABLE) {
  test(`${JSON.stringify(environment)} sends ${url} ${proxy === undefined ? 'directly' : `through ${proxy}`}`, () => {
    assert.equal(findProxy(environment, url), proxy);
  });
}

test('user and password go into a header, with escapes resolved', () => {
  for (const [userinfo, expected] of [
    ['user:word', 'user:word'],
    ['us%40er:w%3Ard', 'us@er:w:rd'],
    ['user:100%', 'user:100%'],
    ['user', 'user:'],
  ] as const) {
    const proxy = readProxies({ https_proxy: `http://${userinfo}@p:1` })?.(new URL(HTTPS_URL));
    assert.equal(proxy?.authorization, `Basic ${Buffer.from(expected).toString('base64')}`);
  }
  assert.equal(readProxies({ https_proxy: 'http://p:1' })?.(new URL(HTTPS_URL))?.authorization, undefined);
});

for (const value of [
  'socks5://user:planted@p:1',
  'http://user:planted@',
  'http://user:planted@p:99999',
  'ftp://planted',
]) {
  test(`the proxy ${value} is refused by the name of its variable, without its password`, () => {
    const find = readProxies({ HTTPS_PROXY: value });
    assert.throws(
      () => find?.(new URL(HTTPS_URL)),
      (error) =>
        isDtError(error, 'DT_CONFIG_INVALID') && /HTTPS_PROXY/.test(error.message) && !/planted/.test(error.message),
    );
  });
}
