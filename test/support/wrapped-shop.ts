import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pushShopImages, writeShopChart } from './charts.ts';
import type { PushedImage } from './images.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from './registries.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

export interface WrappedShop {
  /** Has `shop/` and `w.tgz` in its working directory. */
  readonly sandbox: Sandbox;
  /** The registry that the images come from. */
  readonly source: EmbeddedRegistry;
  /** An empty registry. */
  readonly target: EmbeddedRegistry;
  readonly pushed: Map<string, PushedImage>;
}

/** The shop's chart and its wrap, and a registry to unwrap it into. */
export async function prepareWrappedShop(t: TestContext): Promise<WrappedShop> {
  const sandbox = await createSandbox(t);
  const [source, target] = await Promise.all([startEmbeddedRegistry(), startEmbeddedRegistry()]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  const pushed = await pushShopImages(source.host);
  await writeShopChart(join(sandbox.work, 'shop'), source.host);
  await sandbox.runOk(['wrap', 'shop', '--output-file', 'w.tgz']);
  return { sandbox, source, target, pushed };
}
