import { networkInterfaces } from 'node:os';
import type { TestContext } from 'node:test';
import { skipLoudly } from './skip-loudly.ts';

/**
 * An IPv4 address of this machine that is not loopback, for what treats loopback in its own way. Without one the test is
 * skipped, and in CI it fails.
 */
export function requireMachineAddress(t: TestContext): string | undefined {
  const found = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal);
  if (found === undefined) skipLoudly(t, 'this machine has loopback addresses only');
  return found?.address;
}
