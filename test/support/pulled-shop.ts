import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { digestHex, type Digest } from '../../src/domain/oci/digest.ts';
import { layoutBlobPath } from '../../src/domain/oci/image-layout.ts';
import { pushShopImages, writeShopChart } from './charts.ts';
import type { PushedImage } from './images.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry, type TestRegistry } from './registries.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

/** The images of the shop by their paths, with the layouts of the locked chart `shop/` in the working directory. */
export interface PulledShop {
  readonly sandbox: Sandbox;
  readonly source: EmbeddedRegistry;
  /** An empty registry. */
  readonly target: TestRegistry;
  /** `METHOD TARGET STATUS` of every request to an embedded target so far. */
  readonly targetRequests: readonly string[];
  readonly pushed: Map<string, PushedImage>;
}

/** A locked chart of which nothing is pulled yet. */
export async function prepareLockedShop(
  t: TestContext,
  startTarget: () => Promise<TestRegistry> = startEmbeddedRegistry,
): Promise<PulledShop> {
  const sandbox = await createSandbox(t);
  const [source, target] = await Promise.all([startEmbeddedRegistry(), startTarget()]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  const pushed = await pushShopImages(source.host);
  await writeShopChart(join(sandbox.work, 'shop'), source.host);
  await sandbox.runOk(['images', 'lock', 'shop']);
  const targetRequests = 'requests' in target ? (target as EmbeddedRegistry).requests : [];
  return { sandbox, source, target, targetRequests, pushed };
}

/** The same with its images pulled. */
export async function preparePulledShop(
  t: TestContext,
  startTarget?: () => Promise<TestRegistry>,
): Promise<PulledShop> {
  const shop = await prepareLockedShop(t, startTarget);
  await shop.sandbox.runOk(['images', 'pull', 'shop']);
  return shop;
}

/** Where a blob lies below the folder of the images. */
export function blobIn(root: Digest, blob: Digest): string {
  return `${digestHex(root)}.layout/${layoutBlobPath(blob)}`;
}

/** All files below a folder, sorted; folders left out. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** The blobs that were asked for since so many requests. */
export function fetchedBlobs({ requests }: EmbeddedRegistry, since = 0): string[] {
  return requests.slice(since).flatMap((request) => /^GET \S+\/blobs\/(\S+) 20/.exec(request)?.[1] ?? []);
}
