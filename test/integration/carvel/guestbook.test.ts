import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readManifestDocuments } from '../../../src/domain/manifests/manifest-document.ts';
import { createTestAuthority } from '../../support/certificates.ts';
import { useForeignClients, type ForeignClients } from '../../support/foreign-clients.ts';
import { pushImage } from '../../support/images.ts';
import { startNginx } from '../../support/nginx.ts';
import { startDistribution3 } from '../../support/registries.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { requireTool } from '../../support/tools.ts';

const IMAGES = ['google_samples/gb-frontend:v5', 'google_samples/gb-redis-follower:v2', 'library/redis:6.0.5'] as const;
const CONFIG = 'guestbook/config';
const LOCK = 'guestbook/.imgpkg/images.yml';

interface Site {
  readonly sandbox: Sandbox;
  readonly clients: ForeignClients;
  /** Registries with TLS, of a private authority. */
  readonly source: string;
  readonly target: string;
  /** What every command needs to trust them. */
  readonly trust: readonly string[];
  /** The digests of the images in the source, in their order. */
  readonly digests: readonly string[];
  readonly stopSource: () => Promise<void>;
}

/** Two registries, the first with the images of the guestbook, and a folder with its manifests. */
async function openSite(t: TestContext): Promise<Site | undefined> {
  if (requireTool(t, 'nginx') === undefined || requireTool(t, 'registry3') === undefined) return undefined;
  const sandbox = await createSandbox(t);
  const authority = await createTestAuthority(t);
  const env = { ...sandbox.env, SSL_CERT_FILE: authority.certificate };
  const clients = useForeignClients(t, { ...sandbox, env });
  if (clients === undefined) return undefined;
  const tls = await authority.issue('127.0.0.1');
  const plain = await startDistribution3();
  const source = await startNginx({ upstream: plain.host, tls });
  const target = await startDistribution3({ tls });
  t.after(async () => Promise.all([plain.close(), source.close(), target.close()]));
  const digests: string[] = [];
  for (const image of IMAGES) digests.push((await pushImage(plain.host, image, { seed: image })).digest);
  await mkdir(join(sandbox.work, CONFIG), { recursive: true });
  for (const [index, image] of IMAGES.entries()) {
    const name = `app-${String(index)}`;
    await writeFile(join(sandbox.work, CONFIG, `${name}.yaml`), formatApplication(name, `${source.host}/${image}`));
  }
  const stopSource = async (): Promise<void> => {
    await Promise.all([plain.close(), source.close()]);
  };
  const trust = ['--ca-file', authority.certificate];
  return { sandbox, clients, source: source.host, target: target.host, trust, digests, stopSource };
}

function formatApplication(name: string, image: string): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name} # of the guestbook
spec:
  template:
    spec:
      containers:
      - image: ${image}
`;
}

test('the guestbook goes to another registry, directly and as a file, and runs from there', async (t) => {
  const site = await openSite(t);
  if (site === undefined) return;
  const { sandbox, clients, source, target, trust, digests } = site;
  const run = async (...args: string[]): Promise<string> => sandbox.runOk([...args, ...trust]);
  const bundle = `${source}/library/guestbook-bundle:1.0`;
  const direct = `${target}/direct/guestbook-bundle`;
  const relocated = `${target}/library/guestbook-bundle`;

  await run('manifests', 'lock', '-f', CONFIG, '--imgpkg-lock-output', LOCK);
  await run('bundle', 'push', '-b', bundle, '-f', 'guestbook');
  await run('bundle', 'copy', '-b', bundle, '--to-repo', direct);
  await run('bundle', 'copy', '-b', bundle, '--to-tar', 'guestbook.tar');
  const pushed = await clients.digest(bundle);
  await site.stopSource();
  await run('bundle', 'copy', '--tar', 'guestbook.tar', '--to-repo', relocated);
  for (const repository of [direct, relocated]) assert.equal(await clients.digest(`${repository}:1.0`), pushed);

  await run('bundle', 'pull', '-b', `${relocated}:1.0`, '-o', 'pulled');
  const original = await readFile(join(sandbox.work, CONFIG, 'app-0.yaml'));
  assert.deepEqual(await readFile(join(sandbox.work, 'pulled/config/app-0.yaml')), original);
  const resolved = await run('manifests', 'resolve', '-f', 'pulled/config', '-f', 'pulled/.imgpkg/images.yml');

  assert.equal(readManifestDocuments(resolved, 'resolved').length, 2 * IMAGES.length);
  assert.equal(resolved.match(/# of the guestbook/g)?.length, IMAGES.length);
  assert.match(resolved, new RegExp(`url: ${source}/library/redis:6\\.0\\.5`));
  const images = [...resolved.matchAll(/^ +- image: (\S+)$/gm)].map(([, image = '']) => image);
  assert.deepEqual(
    images,
    digests.map((digest) => `${relocated}@${digest}`),
  );
  for (const image of images) await clients.validate(image);
});
