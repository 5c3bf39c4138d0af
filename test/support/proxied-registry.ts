import type { TestContext } from 'node:test';
import { createSandbox, type Sandbox } from './sandbox.ts';

interface Closable {
  readonly host: string;
  close(): Promise<void>;
}

/** A registry behind a proxy, and a sandbox to use it from; all of it ends with the test. */
export async function startProxiedRegistry<Registry extends Closable, Proxy extends Closable>(
  t: TestContext,
  startRegistry: () => Promise<Registry>,
  startProxy: (upstream: string) => Promise<Proxy>,
): Promise<{ readonly sandbox: Sandbox; readonly registry: Registry; readonly proxy: Proxy }> {
  const sandbox = await createSandbox(t);
  const registry = await startRegistry();
  const proxy = await startProxy(registry.host);
  t.after(async () => {
    await proxy.close();
    await registry.close();
  });
  return { sandbox, registry, proxy };
}
