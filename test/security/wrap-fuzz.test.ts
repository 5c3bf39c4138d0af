import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN_KINDS } from '../support/fuzz-mutations.ts';
import { describeFailure, runFuzz } from '../support/fuzz-run.ts';
import { SEED } from '../support/random.ts';

/** Each plain mutation comes once; what is left of this goes to bombs and more mutations. DT_FUZZ_SECONDS lets it run for longer. */
const BUDGET_MS = Number(process.env['DT_FUZZ_SECONDS'] ?? '8') * 1000;

test(`no mutation of a wrap crashes, hangs, takes much memory or passes wrong bytes (seed ${String(SEED)})`, async (t) => {
  const each = await runFuzz({ seed: SEED, minimum: PLAIN_KINDS, count: Infinity, budgetMs: BUDGET_MS });
  const failures = each.filter(({ outcome }) => outcome === 'failed').map((result) => describeFailure(result, SEED));
  const refused = each.filter(({ outcome }) => outcome === 'refused').length;
  t.diagnostic(`${String(each.length)} cases, ${String(refused)} refused, seed ${String(SEED)}`);
  assert.deepEqual(failures, []);
  assert.ok(new Set(each.map(({ fuzzCase }) => fuzzCase.mutation.kind)).size >= PLAIN_KINDS);
  assert.ok(refused > each.length / 3, 'most mutations went unnoticed');
});
