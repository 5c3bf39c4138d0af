import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { SHOP_METADATA, writeShopChart } from './charts.ts';
import type { Sandbox } from './sandbox.ts';
import { createSigningKey } from './signing-key.ts';

/** A packed chart with the provenance that `helm package --sign` made. */
export interface SignedChart {
  /** Paths of `shop-1.2.3.tgz` and of the public key ring. */
  readonly archivePath: string;
  readonly keyring: string;
  readonly archive: Buffer;
  readonly provenance: Buffer;
}

/** Packs and signs the shop's chart with a fresh PGP key. Undefined, with the test skipped, without GnuPG. */
export async function packSignedShop(
  t: TestContext,
  sandbox: Sandbox,
  helm: string,
  host: string,
): Promise<SignedChart | undefined> {
  const key = await createSigningKey(t, sandbox);
  if (key === undefined) return undefined;
  const { owner, secretKey, keyring } = key;
  await writeShopChart(join(sandbox.work, 'shop'), host);
  await sandbox.runOk(['package', 'shop', '--sign', '--key', owner, '--keyring', secretKey], { command: helm });
  const archivePath = join(sandbox.work, `${SHOP_METADATA.name}-${SHOP_METADATA.version}.tgz`);
  const [archive, provenance] = [await readFile(archivePath), await readFile(`${archivePath}.prov`)];
  return { archivePath, keyring, archive, provenance };
}
