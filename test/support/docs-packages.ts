import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { REPOSITORY_ROOT } from '../../scripts/lib/run-command.ts';
import { signPackage } from '../../scripts/package/sign-package.ts';
import { createStandIn } from './plugin-packages.ts';
import type { Sandbox } from './sandbox.ts';
import { createSigningKey } from './signing-key.ts';

/** The versions that docs/install.md talks of. */
const VERSIONS = ['0.1.0', '0.2.0'];

/**
 * Writes what docs/install.md works with: signed packages with checksums, the key ring, the script, and another plugin called dt. False, with
 * the test skipped, without GnuPG.
 */
export async function writeDocsPackages(t: TestContext, sandbox: Sandbox): Promise<boolean> {
  const { work } = sandbox;
  const key = await createSigningKey(t, sandbox);
  if (key === undefined) return false;
  const sums: string[] = [];
  for (const version of VERSIONS) {
    const archive = await createStandIn(work, { version, platform: `${process.platform}-${process.arch}` });
    await signPackage(archive, { key: key.secretKey });
    const sum = createHash('sha256').update(await readFile(archive));
    sums.push(`${sum.digest('hex')}  ${basename(archive)}\n`);
  }
  await writeFile(join(work, 'SHA256SUMS'), sums.join(''));
  await copyFile(key.keyring, join(work, 'keyring.gpg'));
  await copyFile(join(REPOSITORY_ROOT, 'scripts', 'install.sh'), join(work, 'install.sh'));
  const other = join(work, 'distribution-tooling-for-helm');
  await mkdir(other);
  await writeFile(join(other, 'plugin.yaml'), 'name: dt\nversion: 0.4.11\nusage: x\ncommand: cat\n');
  return true;
}
