import type { TestContext } from 'node:test';

/** Skips a test that lacks something here. In CI it fails: nothing is passed over in silence there. */
export function skipLoudly(t: TestContext, message: string): void {
  if (!['', 'false', '0'].includes(process.env['CI'] ?? '')) throw new Error(message);
  t.skip(message);
}
