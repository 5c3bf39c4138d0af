import { basename } from 'node:path';
import { findProgram } from '../../src/processes/find-program.ts';
import { runCommand } from '../lib/run-command.ts';
import type { Platform } from './platforms.ts';

/** Programs that sign for macOS without a certificate, with the arguments for that. */
const SIGNERS: Readonly<Record<string, readonly string[]>> = {
  codesign: ['--force', '--sign', '-'],
  rcodesign: ['sign'],
};

/** False for a platform whose executables must be signed, which nothing on this machine can do: macOS runs no other. */
export async function canSign(platform: Platform): Promise<boolean> {
  return !mustSign(platform) || (await findSigner()) !== undefined;
}

/** Signs an executable if its platform wants that. Throws with what the program that signs says. */
export async function signExecutable(platform: Platform, path: string): Promise<void> {
  const signer = mustSign(platform) ? await findSigner() : undefined;
  if (signer === undefined) return;
  const { code, output } = await runCommand(signer, [...(SIGNERS[basename(signer)] ?? []), path], { isCaptured: true });
  if (code !== 0) throw new Error(`${signer} cannot sign the executable:\n${output.trimEnd()}`);
}

function mustSign({ host }: Platform): boolean {
  return host?.platform === 'darwin';
}

function findSigner(): Promise<string | undefined> {
  return findProgram(Object.keys(SIGNERS), process.env);
}
