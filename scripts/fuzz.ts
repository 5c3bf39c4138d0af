import { FUZZ_KINDS } from '../test/support/fuzz-mutations.ts';
import { describeFailure, runFuzz, type FuzzResult } from '../test/support/fuzz-run.ts';

const DEFAULT_SEED = 20240521;
const DEFAULT_COUNT = 10_000;
const REPORT_EVERY = 1_000;

const [seed = DEFAULT_SEED, count = DEFAULT_COUNT, first = 0] = process.argv.slice(2).map(Number);
if (![seed, count, first].every((value) => Number.isSafeInteger(value) && value >= 0)) {
  print('usage: npm run fuzz -- [SEED] [COUNT] [FIRST]');
  process.exitCode = 2;
} else {
  await main();
}

/** `npm run fuzz -- [SEED] [COUNT] [FIRST]`: hostile wraps against `info` and `unwrap`; a failed case is run again as `SEED 1 CASE`. */
async function main(): Promise<void> {
  print(`Seed ${String(seed)}, ${String(count)} cases of ${String(FUZZ_KINDS)} kinds`);
  const startedAt = performance.now();
  let done = 0;
  const results = await runFuzz({
    seed,
    first,
    count,
    onCase: (result) => {
      if (result.outcome === 'failed') print(`FAILED  ${describeFailure(result, seed)}`);
      done += 1;
      if (done % REPORT_EVERY === 0)
        print(`${String(done)} done in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
    },
  });
  for (const line of summarize(results)) print(line);
  process.exitCode = results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

function summarize(results: readonly FuzzResult[]): string[] {
  const byKind = Map.groupBy(results, ({ fuzzCase }) => fuzzCase.mutation.kind);
  const slowest = results.reduce<FuzzResult | undefined>(
    (left, right) => (right.cpuMs > (left?.cpuMs ?? -1) ? right : left),
    undefined,
  );
  const largest = results.reduce<FuzzResult | undefined>(
    (left, right) => (right.peakBytes > (left?.peakBytes ?? -1) ? right : left),
    undefined,
  );
  return [
    ...[...byKind].map(([kind, group]) => `${kind.padEnd(36)} ${countOutcomes(group)}`),
    `all ${String(results.length)}: ${countOutcomes(results)}`,
    `slowest: ${(slowest?.cpuMs ?? 0).toFixed(0)} ms of processor time (${describeCase(slowest)})`,
    `peak memory of verify: ${String(Math.round(Math.max(...results.map(({ verifyPeakBytes }) => verifyPeakBytes)) / 2 ** 20))} MiB`,
    `peak memory: ${String(Math.round((largest?.peakBytes ?? 0) / 2 ** 20))} MiB (${describeCase(largest)})`,
  ];
}

function countOutcomes(results: readonly FuzzResult[]): string {
  const groups = Map.groupBy(results, ({ outcome, text }) =>
    outcome === 'refused' ? text.split(' ', 1).join() : outcome,
  );
  const verified = results.filter(({ isVerified }) => isVerified).length;
  return [...groups, ...(verified === 0 ? [] : [['verified', Array.from({ length: verified })] as const])]
    .sort((left, right) => right[1].length - left[1].length)
    .map(([name, group]) => `${name} ${String(group.length)}`)
    .join(', ');
}

function describeCase(result: FuzzResult | undefined): string {
  return result === undefined
    ? 'none'
    : `case ${String(result.fuzzCase.index)}, ${result.fuzzCase.mutation.kind} of ${result.fuzzCase.source.name}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
