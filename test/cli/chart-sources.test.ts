import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { readArchiveFiles } from '../support/archives.ts';
import { packShopChart, pushShopImages, SHOP_METADATA, shopMetadata, writeShopChart } from '../support/charts.ts';
import { pushChart } from '../support/images.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../support/registries.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const VERSIONS = ['1.2.3', '1.3.0', '2.0.0-rc.1'] as const;
const EPOCH = { SOURCE_DATE_EPOCH: '1700000000' };

describe('wrap takes the same chart from', () => {
  test('a folder and a .tgz', async (t) => {
    const { sandbox, registry } = await prepare(t);
    await writeFile(join(sandbox.work, 'shop-1.2.3.tgz'), await packShopChart(registry.host));
    await checkSameWrap(sandbox, ['shop-1.2.3.tgz'], '1.2.3');
  });

  test('a registry: exact version, range, tag and digest in the URL', async (t) => {
    const { sandbox, registry } = await prepare(t);
    const digests = new Map<string, string>();
    for (const version of VERSIONS) {
      const pushed = await pushChart(
        registry.host,
        'charts',
        shopMetadata(version),
        await packShopChart(registry.host, version),
      );
      digests.set(version, pushed.digest);
    }
    const url = `oci://${registry.host}/charts/shop`;
    await checkSameWrap(sandbox, [url, '--version', '1.2.3'], '1.2.3');
    await checkSameWrap(sandbox, [`${url}:1.2.3`], '1.2.3');
    await checkSameWrap(sandbox, [`${url}@${String(digests.get('1.2.3'))}`], '1.2.3');
    await checkSameWrap(sandbox, [url, '--version', '~1.2.0'], '1.2.3');
    assert.equal(await wrappedVersion(sandbox, [url]), '1.3.0');
    assert.equal(await wrappedVersion(sandbox, [url, '--version', '^1.0.0']), '1.3.0');
    assert.equal(await wrappedVersion(sandbox, [url, '--version', '>=2.0.0-0']), '2.0.0-rc.1');
    const missing = await sandbox.run(['wrap', url, '--version', '9.9.9']);
    assert.equal(missing.code, 5);
    assert.match(missing.stderr, /Code: DT_CHART_VERSION_NOT_FOUND/);
    const contradiction = await sandbox.run(['wrap', `${url}:1.2.3`, '--version', '1.3.0']);
    assert.equal(contradiction.code, 2);
  });

  test('a chart repository by its URL, with a range, and by an alias of Helm with credentials', async (t) => {
    const { sandbox, registry } = await prepare(t);
    const archives = new Map<string, Buffer>();
    for (const version of VERSIONS) archives.set(version, await packShopChart(registry.host, version));
    const open = await startChartRepository(t, archives);
    await checkSameWrap(sandbox, ['shop', '--repo', open.url, '--version', '1.2.3'], '1.2.3');
    assert.equal(await wrappedVersion(sandbox, ['shop', '--repo', open.url]), '1.3.0');
    assert.equal(await wrappedVersion(sandbox, ['shop', '--repo', `${open.url}/`, '--version', '1.2.x']), '1.2.3');

    const closed = await startChartRepository(t, archives, 'Basic dXNlcjpwYXNz');
    const denied = await sandbox.run(['wrap', 'shop', '--repo', closed.url, '--output-file', 'none.tgz']);
    assert.equal(denied.code, 4, denied.stderr);
    const file = join(sandbox.home, '.config/helm/repositories.yaml');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `repositories:\n- name: site\n  url: ${closed.url}\n  username: user\n  password: pass\n`);
    await checkSameWrap(sandbox, ['site/shop', '--version', '1.2.3'], '1.2.3');
    const unknown = await sandbox.run(['wrap', 'elsewhere/shop']);
    assert.equal(unknown.code, 1);
    const absent = await sandbox.run(['wrap', 'site/other']);
    assert.match(absent.stderr, /Code: DT_CHART_VERSION_NOT_FOUND/);
  });

  test('a chart repository that sends another archive than its index says is refused', async (t) => {
    const { sandbox, registry } = await prepare(t);
    const archives = new Map([['1.2.3', await packShopChart(registry.host)]]);
    const repository = await startChartRepository(t, archives);
    archives.set('1.2.3', await packShopChart('127.0.0.1:1'));
    const result = await sandbox.run(['wrap', 'shop', '--repo', repository.url]);
    assert.equal(result.code, 3);
    assert.match(result.stderr, /Code: DT_DIGEST_MISMATCH/);
  });
});

async function prepare(t: TestContext): Promise<{ sandbox: Sandbox; registry: EmbeddedRegistry }> {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  await pushShopImages(registry.host, 2000);
  await writeShopChart(join(sandbox.work, 'shop-folder'), registry.host);
  await sandbox.runOk(['wrap', 'shop-folder', '--output-file', 'folder.tgz'], { env: EPOCH });
  return { sandbox, registry };
}

/** What a wrap holds of a chart that came packaged, and the documents that list it. */
const ORIGIN = /^(?:artifacts\/chart\/|\.dt\/(?:wrap|toc)\.json$)/;

/** Wraps and compares every file but the chart's origin with those of the wrap that was made of the folder. */
async function checkSameWrap(sandbox: Sandbox, args: readonly string[], version: string): Promise<void> {
  assert.equal(await wrappedVersion(sandbox, args), version);
  const [actual, expected] = await Promise.all(
    ['out.tgz', 'folder.tgz'].map(async (name) => readArchiveFiles(join(sandbox.work, name))),
  );
  const comparable = (files: ReadonlyMap<string, Buffer> | undefined): string[] =>
    [...(files ?? [])]
      .flatMap(([name, bytes]) => (ORIGIN.test(name) ? [] : [`${name} ${bytes.toString('hex')}`]))
      .sort();
  assert.deepEqual(comparable(actual), comparable(expected), args.join(' '));
  assert.ok(actual?.has(`artifacts/chart/shop-${version}.tgz`) === true, 'the chart as it came');
}

async function wrappedVersion(sandbox: Sandbox, args: readonly string[]): Promise<string> {
  const stdout = await sandbox.runOk(['wrap', ...args, '--output-file', 'out.tgz', '--json'], { env: EPOCH });
  const { charts } = JSON.parse(stdout) as { charts: { name: string; version: string }[] };
  const [chart] = charts;
  assert.ok(chart !== undefined && charts.length === 1);
  assert.equal(chart.name, SHOP_METADATA.name);
  return chart.version;
}

/** A chart repository over plain HTTP, with an index made once. */
async function startChartRepository(
  t: TestContext,
  archives: ReadonlyMap<string, Buffer>,
  authorization?: string,
): Promise<{ url: string }> {
  const entries = [...archives].map(
    ([version, bytes]) =>
      `  - name: shop\n    version: ${version}\n    digest: ${createHash('sha256').update(bytes).digest('hex')}\n    urls: [shop-${version}.tgz]\n`,
  );
  const index = `apiVersion: v1\nentries:\n  shop:\n${entries.join('')}`;
  const server = createServer((request, response) => {
    const isAllowed = authorization === undefined || request.headers.authorization === authorization;
    const version = /^\/charts\/shop-(.*)\.tgz$/.exec(request.url ?? '')?.[1];
    const body = request.url === '/charts/index.yaml' ? index : archives.get(version ?? '');
    response.statusCode = isAllowed ? (body === undefined ? 404 : 200) : 401;
    response.end(isAllowed ? body : undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/charts` };
}
