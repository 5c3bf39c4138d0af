import { networkInterfaces } from 'node:os';
import type { TestContext } from 'node:test';

/** An IPv4 address of this machine that is not loopback, for what treats loopback in its own way; else the test is skipped. */
export function requireMachineAddress(t: TestContext): string | undefined {
  const found = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal);
  if (found === undefined) t.skip('this machine has loopback addresses only');
  return found?.address;
}
