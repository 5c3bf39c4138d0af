import { flakyNetwork } from '../../test/support/fault-plan.ts';
import { startFaultProxy } from '../../test/support/fault-proxy.ts';
import type { NetworkMessage } from './flaky-network.ts';

// A process of its own: `node scripts/bench/fault-proxy.ts UPSTREAM`, told by its parent how many requests fail.
const proxy = await startFaultProxy(process.argv[2] ?? '');
process.on('message', ({ chance, seed }: NetworkMessage) => {
  proxy.play({ rules: flakyNetwork(chance), seed });
  process.send?.(proxy.host);
});
process.once('disconnect', () => process.exit());
process.send?.(proxy.host);
