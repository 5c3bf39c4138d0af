import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readArchiveFiles } from './archives.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from './registries.ts';
import { startRegistryProxy, type RegistryProxy } from './registry-proxy.ts';
import { prepareShopReleases, type ShopReleases } from './shop-releases.ts';

const BLOB_ENTRY = /^images\/[^/]+\.layout\/blobs\/sha256\/([0-9a-f]{64})$/;

export interface DeltaSite extends ShopReleases {
  /** An empty registry. */
  readonly target: EmbeddedRegistry;
}

/** Two releases, with `d.tgz`, the second one as a delta to the first. */
export async function prepareDelta(t: TestContext): Promise<DeltaSite> {
  const releases = await prepareShopReleases(t);
  const target = await startEmbeddedRegistry();
  t.after(async () => target.close());
  await releases.sandbox.runOk(['wrap', 'shop-2', '--base', 'v1.wrap.tgz', '--output-file', 'd.tgz']);
  return { ...releases, target };
}

/** A proxy in front of a registry, for as long as the test runs. */
export async function proxyOf(t: TestContext, host: string): Promise<RegistryProxy> {
  const proxy = await startRegistryProxy(host);
  t.after(async () => proxy.close());
  return proxy;
}

/** Lets the registry behind the proxy refuse every mount. */
export function refuseMounts(proxy: RegistryProxy): void {
  proxy.refuse = (method, path) =>
    method === 'POST' && path.includes('mount=')
      ? { status: 405, body: { errors: [{ code: 'UNSUPPORTED' }] } }
      : undefined;
}

export function unwrapArguments(file: string, host: string, ...more: readonly string[]): string[] {
  return ['unwrap', file, `${host}/mirror`, '--yes', ...more];
}

/** Unwraps a file of the working directory; it must succeed. */
export async function unwrap({ sandbox }: ShopReleases, file: string, host: string, path = 'mirror'): Promise<void> {
  await sandbox.runOk(['unwrap', file, `${host}/${path}`, '--yes']);
}

/** The status of a HEAD request for a blob. */
export async function statusOfBlob(host: string, repository: string, digest: string): Promise<number> {
  return (await fetch(`http://${host}/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })).status;
}

/** The digests of all large blobs whose bytes lie in a wrap. */
export async function readLargeBlobs(folder: string, file = 'shop-1.3.0.delta.wrap.tgz'): Promise<Set<string>> {
  const files = await readArchiveFiles(join(folder, file));
  const found = new Set<string>();
  for (const [path, bytes] of files) {
    const hex = BLOB_ENTRY.exec(path)?.[1];
    if (hex !== undefined && bytes.length >= 64 * 1024) found.add(`sha256:${hex}`);
  }
  return found;
}
