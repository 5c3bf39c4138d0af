import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { SHOP_METADATA, writeShopChart } from './charts.ts';
import type { Sandbox } from './sandbox.ts';
import { requireTool } from './tools.ts';

const SIGNER = 'Test Signer';

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
  const command = requireTool(t, 'gpg');
  if (command === undefined) return undefined;
  // The socket of the agent lies there: its path may have about 100 characters only.
  const home = await mkdtemp(join(tmpdir(), 'dt-gpg-'));
  t.after(async () => {
    spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  });
  const gpg = async (args: readonly string[]): Promise<string> =>
    sandbox.runOk(['--homedir', home, '--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', '', ...args], {
      command,
    });
  await gpg(['--quick-generate-key', `${SIGNER} <signer@example.test>`, 'rsa2048', 'sign', 'never']);
  const [secret, keyring] = [join(home, 'secring.gpg'), join(home, 'pubring.gpg')];
  await gpg(['--output', secret, '--export-secret-keys']);
  await gpg(['--output', keyring, '--export']);
  await writeShopChart(join(sandbox.work, 'shop'), host);
  await sandbox.runOk(['package', 'shop', '--sign', '--key', SIGNER, '--keyring', secret], { command: helm });
  const archivePath = join(sandbox.work, `${SHOP_METADATA.name}-${SHOP_METADATA.version}.tgz`);
  const [archive, provenance] = [await readFile(archivePath), await readFile(`${archivePath}.prov`)];
  return { archivePath, keyring, archive, provenance };
}
