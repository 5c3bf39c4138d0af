import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { unwrapCharts, type UnwrapChartsResult } from '../../../src/workflows/unwrap-charts.ts';
import { wrapCharts } from '../../../src/workflows/wrap-charts.ts';
import { pushShopImages, SHOP_IMAGES, shopImageOptions, writeShopChart } from '../../support/charts.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { createTestContext } from '../../support/hostile-wraps.ts';
import { pushImage } from '../../support/images.ts';
import { startDistribution3, startEmbeddedRegistry, TEST_CREDENTIALS } from '../../support/registries.ts';
import {
  startTokenServer,
  TEST_IDENTITY_TOKEN,
  type TokenServer,
  type TokenServerOptions,
} from '../../support/token-server.ts';
import { requireTool } from '../../support/tools.ts';

const LAYER_BYTES = 100_000;
/** A layer takes four seconds, longer than the short tokens below live. */
const SLOW_BYTES_PER_SECOND = 25_000;
const SHORT_SECONDS = 2;
const BASIC = { auth: Buffer.from(`${TEST_CREDENTIALS.username}:${TEST_CREDENTIALS.password}`).toString('base64') };

test('each repository is asked for alone, with no more than is needed, and a mount names both', async (t) => {
  const around = await prepare(t, {});
  if (around === undefined) return;
  const { summary } = await unwrap(around, BASIC);
  assert.ok((summary?.blobs.mounted ?? 0) > 0, 'the registry took a mount');
  const { asked } = around.tokens;
  assert.ok(asked.every(({ service, user }) => service === 'test registry' && user === 'user'));
  for (const { scopes } of asked) {
    assert.match(scopes[0] ?? '', /^repository:mirror\/[a-z/]+:pull,push$/);
    assert.ok(scopes.slice(1).every((scope) => /^repository:mirror\/[a-z/]+:pull$/.test(scope)));
    assert.ok(scopes.length <= 2);
  }
  assert.ok(asked.some(({ scopes }) => scopes.length === 2));
});

test('anybody may pull where the token server says so, but not push', async (t) => {
  const around = await prepare(t, { allowsAnonymousPull: true });
  if (around === undefined) return;
  await pushToSource(around);
  await wrap(around, {});
  assert.ok(around.tokens.asked.every(({ user }) => user === 'anonymous'));
  await assert.rejects(unwrap(around, {}), { code: 'DT_AUTH_REQUIRED', exitCode: 4 });
});

for (const [name, entry] of [
  ['user and password', BASIC],
  ['an identity token', { identitytoken: TEST_IDENTITY_TOKEN }],
] as const) {
  test(`pull and push with ${name}`, async (t) => {
    const around = await prepare(t, {});
    if (around === undefined) return;
    await pushToSource(around);
    await wrap(around, entry);
    const { pushed } = await unwrap(around, entry);
    assert.ok(pushed);
    const method = entry === BASIC ? 'GET' : 'POST';
    assert.ok(around.tokens.asked.length > 0 && around.tokens.asked.every((asked) => asked.method === method));
  });
}

test('a wrong password is said to be wrong', async (t) => {
  const around = await prepare(t, {});
  if (around === undefined) return;
  const wrong = { auth: Buffer.from('dt-user:wrong').toString('base64') };
  await assert.rejects(unwrap(around, wrong), { code: 'DT_AUTH_DENIED', exitCode: 4 });
});

for (const [name, options] of [
  ['end every second', { lifetimeSeconds: SHORT_SECONDS }],
  ['are revoked every second', { lifetimeSeconds: SHORT_SECONDS, promisedSeconds: 300 }],
] as const) {
  test(`a slow pull and push with tokens that ${name}`, async (t) => {
    const around = await prepare(t, options);
    if (around === undefined) return;
    await pushToSource(around);
    around.proxy.play({ bytesPerSecond: SLOW_BYTES_PER_SECOND });
    await wrap(around, BASIC);
    const { pushed } = await unwrap(around, BASIC);
    assert.ok(pushed);
    const places = new Set(around.tokens.asked.map(({ scopes }) => scopes.join(' ')));
    assert.ok(around.tokens.asked.length > places.size, 'tokens were asked for again');
  });
}

test('a registry that refuses every token is not asked for ever', async (t) => {
  const around = await prepare(t, { lifetimeSeconds: -1 });
  if (around === undefined) return;
  await assert.rejects(unwrap(around, BASIC), { code: 'DT_AUTH_REQUIRED', exitCode: 4 });
  // Once and once more for each image and the chart.
  assert.ok(around.tokens.asked.length <= 2 * (SHOP_IMAGES.length + 1));
});

/** Ways to say what `Bearer realm="…",service="…",scope="…"` says. */
const SPELLINGS: Readonly<Record<string, (realm: string, service: string) => string>> = {
  'the scheme in lower case': (realm, service) => `bearer realm="${realm}",service="${service}"`,
  'blanks around everything': (realm, service) => `BEARER   Realm = "${realm}" ,\tSERVICE =  "${service}"`,
  'parameters of other specifications': (realm, service) =>
    `Bearer error="invalid_token", charset=UTF-8, service="${service}", realm="${realm}"`,
  'escaped characters': (realm, service) =>
    `Bearer realm="${realm.replaceAll('/', '\\/')}",service="${service.replace('t', '\\t')}"`,
  'empty elements': (realm, service) => `, ,Bearer realm="${realm}",, service="${service}",`,
  'basic offered first': (realm, service) => `Basic realm="a, b", Bearer realm="${realm}",service="${service}"`,
  'a scheme nobody knows': (realm, service) =>
    `Negotiate YWJj==, Bearer realm="${realm}",service="${service}", Digest qop="auth, auth-int"`,
};

for (const [name, spell] of Object.entries(SPELLINGS)) {
  test(`a challenge with ${name}`, async (t) => {
    const around = await prepare(t, {});
    if (around === undefined) return;
    const { realm, service } = around.tokens.authority;
    around.proxy.play({
      editHeaders: (headers) =>
        headers['www-authenticate'] === undefined ? headers : { ...headers, 'www-authenticate': spell(realm, service) },
    });
    const { pushed } = await unwrap(around, BASIC);
    assert.ok(pushed);
    assert.ok(around.tokens.asked.every((asked) => asked.service === service));
  });
}

interface Surroundings {
  readonly folder: string;
  readonly tokens: TokenServer;
  /** Before a registry that takes nothing but tokens. */
  readonly proxy: FaultProxy;
  /** A wrap of the images from an open registry. */
  readonly wrapFile: string;
}

async function prepare(t: TestContext, options: TokenServerOptions): Promise<Surroundings | undefined> {
  if (requireTool(t, 'registry3') === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'dt-tokens-'));
  const tokens = await startTokenServer(options);
  const [registry, open] = [await startDistribution3({ tokens: tokens.authority }), await startEmbeddedRegistry()];
  const proxy = await startFaultProxy(registry.host);
  t.after(async () => {
    await proxy.close();
    await Promise.all([registry.close(), open.close(), tokens.close()]);
    await rm(folder, { recursive: true, force: true });
  });
  await pushShopImages(open.host, LAYER_BYTES);
  await writeShopChart(join(folder, 'open'), open.host);
  const wrapFile = join(folder, 'open.tgz');
  await runWrap(join(folder, 'open'), wrapFile, {});
  return { folder, tokens, proxy, wrapFile };
}

/** Puts the images into the registry where the chart of `wrap` looks for them. */
async function pushToSource({ proxy, tokens }: Surroundings): Promise<void> {
  for (const image of SHOP_IMAGES) {
    const authorization = `Bearer ${tokens.issue([`repository:${image.repository}:pull,push`])}`;
    const options = { ...shopImageOptions(image, LAYER_BYTES), authorization };
    await pushImage(proxy.host, `${image.repository}:${image.tag}`, options);
  }
}

async function wrap(around: Surroundings, entry: object): Promise<void> {
  const { folder, proxy } = around;
  await writeShopChart(join(folder, 'shop'), proxy.host);
  await runWrap(join(folder, 'shop'), join(folder, 'shop.tgz'), await writeCredentials(around, entry));
}

async function unwrap(around: Surroundings, entry: object): Promise<UnwrapChartsResult> {
  const context = await createTestContext(await writeCredentials(around, entry));
  const options = { valuesFiles: ['values.yaml'], skipImages: false, assumeYes: true };
  return unwrapCharts({ file: around.wrapFile, prefix: `${around.proxy.host}/mirror`, ...options }, context);
}

async function runWrap(location: string, outputFile: string, environment: Record<string, string>): Promise<void> {
  const options = { platforms: [], allowEmpty: false, skipImages: false, isCompatible: false };
  await wrapCharts({ sources: [{ location }], outputFile, ...options }, await createTestContext(environment));
}

/** Environment with a Docker configuration in which the registry has this entry. */
async function writeCredentials({ folder, proxy }: Surroundings, entry: object): Promise<Record<string, string>> {
  const configFolder = join(folder, 'docker');
  await mkdir(configFolder, { recursive: true });
  const auths = Object.keys(entry).length === 0 ? {} : { [proxy.host]: entry };
  await writeFile(join(configFolder, 'config.json'), JSON.stringify({ auths }));
  return { DOCKER_CONFIG: configFolder };
}
