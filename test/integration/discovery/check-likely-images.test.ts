import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckedImage, DiscoveredImage } from '../../../src/domain/discovery/discovered-image.ts';
import { isDtError } from '../../../src/domain/errors.ts';
import { checkLikelyImages } from '../../../src/workflows/discovery/check-likely-images.ts';
import { catchError } from '../../support/assert-refused.ts';
import { createDiscoverySite, podOf, type DiscoverySite } from '../../support/discovery-site.ts';
import { createHelmContext } from '../../support/helm.ts';
import { pushImage } from '../../support/images.ts';
import { startEmbeddedRegistry, TEST_CREDENTIALS } from '../../support/registries.ts';
import { createSandbox } from '../../support/sandbox.ts';
import { useScriptedServer } from '../../support/scripted-server.ts';

/** Nobody listens there. */
const CLOSED = '127.0.0.1:9';

function imageOf(reference: string, changes: Partial<DiscoveredImage> = {}): DiscoveredImage {
  return {
    reference,
    name: 'a',
    chart: 'shop',
    confidence: 'likely',
    isComplete: true,
    isTestOnly: false,
    reasons: [],
    ...changes,
  };
}

function namePresence(images: readonly CheckedImage[]): string[] {
  return images.map(({ reference, registry = 'not asked' }) => `${reference.replace(/^.*\//, '')} ${registry}`);
}

describe('checkLikelyImages', () => {
  it('waits no longer for a host that keeps silent than it is told to, and for no other because of it', async (t) => {
    const hungUp = Promise.withResolvers<boolean>();
    const silent = await useScriptedServer(t, (_request, response) => {
      response.on('close', () => {
        hungUp.resolve(true);
      });
    });
    const tokens = await useScriptedServer(t, ({ url }, response, host) => {
      if (url.startsWith('/token')) return;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="s"` }).end();
    });
    const registry = await startEmbeddedRegistry();
    t.after(async () => registry.close());
    for (const name of ['one', 'two']) await pushImage(registry.host, `team/${name}:1`, { seed: name });
    const images = [
      imageOf(`${silent.host}/team/silent:1`),
      imageOf(`${tokens.host}/team/slow-token:1`),
      ...['one', 'two', 'three'].map((name) => imageOf(`${registry.host}/team/${name}:1`)),
    ];
    const startedAtMs = performance.now();
    const checked = await checkLikelyImages(images, await createHelmContext('unused'), 1_000);
    assert.ok(performance.now() - startedAtMs < 5_000);
    assert.deepEqual(namePresence(checked), [
      'silent:1 unknown',
      'slow-token:1 unknown',
      'one:1 present',
      'two:1 present',
      'three:1 missing',
    ]);
    assert.equal(silent.requests.length, 1);
    assert.ok(await Promise.race([hungUp.promise, sleep(5_000, false)]), 'the request goes on');
  });

  it('calls unknown what nobody lets it see, what answers anything, and a name without a tag', async (t) => {
    const closed = await startEmbeddedRegistry({ auth: true });
    t.after(async () => closed.close());
    const page = await useScriptedServer(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    const images = [
      imageOf(`${closed.host}/team/private:1`),
      imageOf(`${page.host}/team/page:1`),
      imageOf(`${page.host}/team/no-tag`, { isComplete: false }),
      imageOf(`${page.host}/team/rendered:1`, { confidence: 'rendered' }),
    ];
    const checked = await checkLikelyImages(images, await createHelmContext('unused'));
    assert.deepEqual(namePresence(checked), [
      'private:1 unknown',
      'page:1 unknown',
      'no-tag unknown',
      'rendered:1 not asked',
    ]);
    assert.ok(page.requests.every(({ url }) => !/no-tag|rendered/.test(url)));
  });

  it('leaves unknown what needs credentials that cannot be read', async (t) => {
    const closed = await startEmbeddedRegistry({ auth: true });
    t.after(async () => closed.close());
    const { work } = await createSandbox(t);
    const file = join(work, 'auth.json');
    await writeFile(file, 'no JSON');
    const context = await createHelmContext('unused', { REGISTRY_AUTH_FILE: file });
    const checked = await checkLikelyImages([imageOf(`${closed.host}/team/private:1`)], context);
    assert.deepEqual(namePresence(checked), ['private:1 unknown']);
  });

  it('does not show a registry a password again and again that it refuses', async (t) => {
    const statuses: number[] = [];
    const closed = await startEmbeddedRegistry({ auth: true, onRequest: (_m, _p, status) => statuses.push(status) });
    t.after(async () => closed.close());
    const { work } = await createSandbox(t);
    const file = join(work, 'auth.json');
    const auth = Buffer.from(`${TEST_CREDENTIALS.username}:wrong`).toString('base64');
    await writeFile(file, JSON.stringify({ auths: { [closed.host]: { auth } } }));
    const context = await createHelmContext('unused', { REGISTRY_AUTH_FILE: file });
    const images = Array.from({ length: 20 }, (_, index) => imageOf(`${closed.host}/team/i${String(index)}:1`));
    const checked = await checkLikelyImages(images, context);
    assert.ok(checked.every(({ registry }) => registry === 'unknown'));
    assert.ok(statuses.length < images.length, String(statuses.length));
  });

  it('ends when it is interrupted', async (t) => {
    const interruption = new AbortController();
    const silent = await useScriptedServer(t, () => {
      interruption.abort();
    });
    const context = await createHelmContext('unused', {}, interruption.signal);
    const error = await catchError(checkLikelyImages([imageOf(`${silent.host}/team/silent:1`)], context));
    assert.ok(isDtError(error, 'DT_INTERRUPTED'));
  });
});

describe('images find', () => {
  async function writeShop(site: DiscoverySite): Promise<void> {
    const values = ['HOST/team/present:1', 'HOST/team/missing:1', `${CLOSED}/team/nowhere:1`];
    const env = values.map((value, index) => `        - {name: A${String(index)}_IMAGE, value: "${value}"}\n`);
    await site.writeChart('shop', {
      'templates/p.yaml': `${podOf('p', 'HOST/team/app:1')}      env:\n${env.join('')}`,
    });
  }

  async function findAsJson(site: DiscoverySite, ...flags: readonly string[]): Promise<readonly CheckedImage[]> {
    const { code, stdout } = await site.run(['images', 'find', 'shop', '--json', ...flags]);
    assert.equal(code, 0);
    return (JSON.parse(stdout) as { readonly images: readonly CheckedImage[] }).images;
  }

  it('says of likely images whether their registry has them, and asks for no others', async (t) => {
    const site = await createDiscoverySite(t, ['app', 'present']);
    if (site === undefined) return;
    await writeShop(site);
    const before = site.registry.requests.length;
    const said = await site.runOk(['images', 'find', 'shop']);
    assert.match(said, /team\/present:1 +likely \(present\)/);
    assert.match(said, /team\/missing:1 +likely \(missing\)/);
    assert.match(said, /team\/nowhere:1 +likely \(unknown\)/);
    assert.match(said, /team\/app:1 +rendered +templates/);
    assert.deepEqual(namePresence(await findAsJson(site)), [
      'app:1 not asked',
      'present:1 present',
      'missing:1 missing',
      'nowhere:1 unknown',
    ]);
    const asked = site.registry.requests.slice(before);
    assert.ok(asked.some((request) => request.includes('/team/present/')));
    assert.ok(asked.every((request) => !request.includes('/team/app/')));
  });

  it('asks nobody if it is told not to', async (t) => {
    const site = await createDiscoverySite(t, ['present']);
    if (site === undefined) return;
    await writeShop(site);
    const before = site.registry.requests.length;
    const images = await findAsJson(site, '--no-check');
    assert.equal(images.length, 4);
    assert.ok(images.every((image) => !('registry' in image)));
    assert.equal(site.registry.requests.length, before);
  });
});
