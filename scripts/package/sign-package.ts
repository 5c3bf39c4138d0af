import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readPluginPackage } from '../../src/archive/plugin-package.ts';
import { canonicalPackageName, PROVENANCE_EXTENSION } from '../../src/domain/plugin/plugin-artifact.ts';
import { formatProvenance } from '../../src/domain/plugin/plugin-provenance.ts';

export interface SigningOptions {
  /** What gpg knows a key by (fingerprint, key id, mail address), or a file with an exported secret key. */
  readonly key: string;
  /** Of a protected key. Without it gpg asks its agent for that of a key in the key ring. */
  readonly passphrase?: string | undefined;
}

/**
 * Signs a package with gpg: writes `PACKAGE.prov`, which `helm plugin verify` and `helm plugin install` of Helm 4 accept, and returns its
 * path. Throws with what gpg says.
 */
export async function signPackage(archivePath: string, { key, passphrase }: SigningOptions): Promise<string> {
  const message = await describePackage(archivePath);
  const signed = (await isFile(key))
    ? await withKeyFile(key, async (home) => clearSign(message, passphrase ?? '', ['--homedir', home]))
    : await clearSign(message, passphrase, ['--local-user', key]);
  const provenancePath = archivePath + PROVENANCE_EXTENSION;
  await writeFile(provenancePath, signed);
  return provenancePath;
}

async function describePackage(archivePath: string): Promise<string> {
  const plugin = await readPluginPackage(createReadStream(archivePath), archivePath);
  const hash = createHash('sha256');
  await pipeline(createReadStream(archivePath), hash);
  // Helm looks for the name of the file that it installs, and later, or in a registry, for the one under which it keeps that.
  return formatProvenance(plugin, hash.digest('hex'), [basename(archivePath), canonicalPackageName(plugin)]);
}

/** A key ring of its own, so that neither the keys nor the settings of the user play a part. */
async function withKeyFile<T>(keyFile: string, run: (home: string) => Promise<T>): Promise<T> {
  // The socket of the agent lies there: its path may have about 100 characters only.
  const home = await mkdtemp(join(tmpdir(), 'dt-sign-'));
  try {
    await runGpg(['--homedir', home, '--import', keyFile]);
    return await run(home);
  } finally {
    await runProgram('gpgconf', ['--homedir', home, '--kill', 'all']).catch(() => '');
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function clearSign(message: string, passphrase: string | undefined, args: readonly string[]): Promise<string> {
  if (passphrase === undefined) return runGpg([...args, '--clear-sign', '--output', '-'], message);
  // The first line is the passphrase, so that no other user sees it; gpg reads the rest from there as well.
  const options = ['--pinentry-mode', 'loopback', '--passphrase-fd', '0'];
  return runGpg([...args, ...options, '--clear-sign', '--output', '-'], `${passphrase}\n${message}`);
}

async function runGpg(args: readonly string[], input = ''): Promise<string> {
  return runProgram('gpg', ['--batch', '--yes', '--digest-algo', 'SHA512', ...args], input);
}

function runProgram(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe' });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // It may end without reading.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.on('error', (error) => {
      reject(new Error(`cannot run ${program}: ${error.message}`));
    });
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(stdout).toString());
      else reject(new Error(`${program} cannot sign:\n${Buffer.concat(stderr).toString().trimEnd()}`));
    });
  });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
