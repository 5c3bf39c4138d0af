import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Sandbox } from './sandbox.ts';
import { requireTool } from './tools.ts';

/** A fresh PGP key. */
export interface SigningKey {
  readonly owner: string;
  /** The folder of gpg with the key in it. */
  readonly home: string;
  /** Files with the exported secret key, and with the public one. */
  readonly secretKey: string;
  readonly keyring: string;
}

export interface SigningKeyOptions {
  readonly owner?: string;
  /** What gpg calls the kind of key. */
  readonly algorithm?: string;
  readonly passphrase?: string;
}

/** Undefined, with the test skipped, without GnuPG. */
export async function createSigningKey(
  t: TestContext,
  sandbox: Sandbox,
  { owner = 'Test Signer', algorithm = 'rsa2048', passphrase = '' }: SigningKeyOptions = {},
): Promise<SigningKey | undefined> {
  const command = requireTool(t, 'gpg');
  if (command === undefined) return undefined;
  // The socket of the agent lies there: its path may have about 100 characters only.
  const home = await mkdtemp(join(tmpdir(), 'dt-gpg-'));
  t.after(async () => {
    spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  });
  const gpg = async (args: readonly string[]): Promise<string> =>
    sandbox.runOk(
      ['--homedir', home, '--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', passphrase, ...args],
      { command },
    );
  await gpg(['--quick-generate-key', `${owner} <signer@example.test>`, algorithm, 'sign', 'never']);
  const [secretKey, keyring] = [join(home, 'secret.gpg'), join(home, 'public.gpg')];
  await gpg(['--output', secretKey, '--export-secret-keys']);
  await gpg(['--output', keyring, '--export']);
  return { owner, home, secretKey, keyring };
}
