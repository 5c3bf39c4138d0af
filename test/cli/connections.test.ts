import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createTestAuthority, type KeyPair, type TestAuthority } from '../support/certificates.ts';
import { pushShopImages, writeShopChart } from '../support/charts.ts';
import { PROXY_CREDENTIALS, startForwardProxy } from '../support/forward-proxy.ts';
import { requireMachineAddress } from '../support/machine-address.ts';
import { startNginx, type NginxOptions } from '../support/nginx.ts';
import { startDistribution3, startEmbeddedRegistry } from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { requireTool } from '../support/tools.ts';

interface Site {
  readonly sandbox: Sandbox;
  readonly authority: TestAuthority;
  readonly pair: KeyPair;
  /** Of the registry with TLS that the images of the chart `shop` come from. */
  readonly host: string;
}

/** A registry behind a real nginx with a certificate of a private authority, and a chart of its images. */
async function prepare(
  t: TestContext,
  address: string,
  options: (authority: TestAuthority) => Partial<NginxOptions> = () => ({}),
): Promise<Site> {
  const sandbox = await createSandbox(t);
  const authority = await createTestAuthority(t);
  const pair = await authority.issue(address);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  await pushShopImages(registry.host);
  const nginx = await startNginx({ upstream: registry.host, address, tls: pair, ...options(authority) });
  t.after(async () => nginx.close());
  await writeShopChart(join(sandbox.work, 'shop'), nginx.host);
  return { sandbox, authority, pair, host: nginx.host };
}

const WRAP = ['wrap', 'shop', '--plain', '--output-file', 'shop.wrap.tgz'];

async function trustHost({ sandbox, authority }: Site, host: string): Promise<string> {
  const folder = join(sandbox.home, '.config/containers/certs.d', host);
  await mkdir(folder, { recursive: true });
  await copyFile(authority.certificate, join(folder, 'ca.crt'));
  return folder;
}

test('a registry with a private authority: refused, then trusted by --ca-file, and unwrapped into another', async (t) => {
  if (requireTool(t, 'nginx') === undefined || requireTool(t, 'registry3') === undefined) return;
  const site = await prepare(t, '127.0.0.1');
  const { sandbox, authority } = site;
  const refused = await sandbox.run(WRAP);
  assert.equal(refused.code, 5);
  assert.match(refused.stderr, /Code: DT_REGISTRY_UNREACHABLE/);
  assert.match(refused.stderr, /Try:\n {2}.*--ca-file/);
  await sandbox.runOk([...WRAP, '--ca-file', authority.certificate]);

  const target = await startDistribution3({ tls: site.pair });
  t.after(async () => target.close());
  const unwrap = ['unwrap', 'shop.wrap.tgz', `oci://${target.host}/mirror`, '--yes', '--plain'];
  assert.equal((await sandbox.run(unwrap)).code, 5);
  await trustHost(site, target.host);
  assert.match(await sandbox.runOk(unwrap), /mirror\/shop/);
});

test('certs.d trusts a registry and holds the certificate that it asks for', async (t) => {
  if (requireTool(t, 'nginx') === undefined) return;
  const site = await prepare(t, '127.0.0.1', ({ certificate }) => ({ clientCa: certificate }));
  const { sandbox, authority } = site;
  const folder = await trustHost(site, site.host);
  const refused = await sandbox.run(WRAP);
  assert.equal(refused.code, 5, refused.stderr);
  const client = await authority.issue('client');
  await copyFile(client.certificate, join(folder, 'client.cert'));
  const halfDone = await sandbox.run(WRAP);
  assert.equal(halfDone.code, 1);
  assert.match(halfDone.stderr, /client\.cert[^]*Code: DT_CONFIG_INVALID/);
  await copyFile(client.key, join(folder, 'client.key'));
  await sandbox.runOk(WRAP);
});

test('--insecure is for the host that it names', async (t) => {
  if (requireTool(t, 'nginx') === undefined) return;
  const { sandbox, host } = await prepare(t, '127.0.0.1');
  assert.equal((await sandbox.run([...WRAP, '--insecure=registry.example'])).code, 5);
  await sandbox.runOk([...WRAP, `--insecure=${host}`]);
});

test('a --ca-file that is no good ends the program before any request', async (t) => {
  const sandbox = await createSandbox(t);
  await writeShopChart(join(sandbox.work, 'shop'), '127.0.0.1:1');
  await writeFile(join(sandbox.work, 'bad.pem'), 'no certificate');
  const bad = await sandbox.run([...WRAP, '--ca-file', 'bad.pem']);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /bad\.pem[^]*Code: DT_CONFIG_INVALID/);
  assert.match((await sandbox.run([...WRAP, '--ca-file', 'absent.pem'])).stderr, /Code: DT_FILE_NOT_FOUND/);
});

test('wrap through a proxy with credentials, and past it by NO_PROXY', async (t) => {
  const address = requireMachineAddress(t);
  if (address === undefined) return;
  if (requireTool(t, 'nginx') === undefined || requireTool(t, 'tinyproxy') === undefined) return;
  const { sandbox, authority, host } = await prepare(t, address);
  const proxy = await startForwardProxy({ auth: true });
  t.after(async () => proxy.close());
  const run = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> => {
    const { code, stdout, stderr } = await sandbox.run([...WRAP, '--ca-file', authority.certificate, ...args], { env });
    assert.doesNotMatch(stdout + stderr, new RegExp(PROXY_CREDENTIALS.password));
    return code === 0 ? 'done' : stderr;
  };
  const through = `http://${PROXY_CREDENTIALS.username}:${PROXY_CREDENTIALS.password}@${proxy.host}`;

  assert.equal(
    await run(['--log-level', 'debug'], { HTTPS_PROXY: through, NO_PROXY: `10.0.0.0/8,${address}/24` }),
    'done',
  );
  assert.deepEqual(await proxy.readRequests(), []);

  assert.equal(await run(['--log-level', 'debug'], { HTTPS_PROXY: through, NO_PROXY: '198.51.100.0/24' }), 'done');
  const requests = await proxy.readRequests();
  assert.ok(requests.length > 0);
  assert.deepEqual(new Set(requests), new Set([`CONNECT ${host}`]));

  assert.match(await run([], { HTTPS_PROXY: `http://${proxy.host}` }), /\(407\)[^]*Code: DT_REGISTRY_UNREACHABLE/);
  assert.match(
    await run([], { HTTPS_PROXY: `socks5://${through.slice('http://'.length)}` }),
    /HTTPS_PROXY[^]*Code: DT_CONFIG_INVALID/,
  );
});

test('unwrap through a proxy into a registry without TLS, which is told by --use-plain-http=HOST', async (t) => {
  const address = requireMachineAddress(t);
  if (address === undefined) return;
  if (requireTool(t, 'tinyproxy') === undefined || requireTool(t, 'registry3') === undefined) return;
  const sandbox = await createSandbox(t);
  const [source, target] = [await startEmbeddedRegistry(), await startDistribution3({ address })];
  t.after(async () => source.close());
  t.after(async () => target.close());
  const proxy = await startForwardProxy();
  t.after(async () => proxy.close());
  await pushShopImages(source.host);
  await writeShopChart(join(sandbox.work, 'shop'), source.host);
  await sandbox.runOk(WRAP);
  const unwrap = ['unwrap', 'shop.wrap.tgz', `${target.host}/mirror`, '--yes', '--plain'];
  const env = { HTTP_PROXY: `http://${proxy.host}`, no_proxy: '' };
  assert.equal((await sandbox.run([...unwrap, '--use-plain-http=registry.example'], { env })).code, 5);
  assert.deepEqual(await proxy.readRequests(), []);
  await sandbox.runOk([...unwrap, `--use-plain-http=${target.host}`], { env });
  const requests = await proxy.readRequests();
  assert.ok(
    requests.some((line) => line.startsWith(`PUT http://${target.host}/v2/mirror/`)),
    requests.join('\n'),
  );
});
