import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DtError } from '../../../../src/domain/errors.ts';
import { isTransientStatus, parseRetryAfter, retryTransient } from '../../../../src/transport/http/retry.ts';

const NOW_MS = Date.parse('2026-11-21T10:00:00Z');
const POLICY = { retries: 2, minDelayMs: 1, maxDelayMs: 2 } as const;

for (const [header, expected] of [
  ['120', 120_000],
  [' 0 ', 0],
  ['Sat, 21 Nov 2026 10:00:30 GMT', 30_000],
  ['Saturday, 21-Nov-26 10:00:30 GMT', 30_000],
  ['Sat, 21 Nov 2026 09:00:00 GMT', 0],
  ['', undefined],
  [undefined, undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['Soon, 5', undefined],
  ['99999999999999999999', undefined],
  ['Sat, 99 Nov 2026 10:00:30 GMT', undefined],
] as const) {
  test(`Retry-After ${JSON.stringify(header)} is ${String(expected)}`, () => {
    assert.equal(parseRetryAfter(header, NOW_MS), expected);
  });
}

test('tells statuses that may pass from those that stay', () => {
  const statuses = [200, 301, 400, 401, 404, 408, 409, 413, 416, 425, 429, 500, 501, 502, 503, 504, 505, 599];
  assert.deepEqual(statuses.filter(isTransientStatus), [408, 425, 429, 500, 502, 503, 504, 599]);
});

test('a transient failure is tried again, and any other is not', async () => {
  for (const [isTransient, tries] of [
    [true, 3],
    [false, 1],
  ] as const) {
    let count = 0;
    await assert.rejects(
      retryTransient(POLICY, undefined, () => {
        count++;
        return Promise.reject(new DtError('DT_REGISTRY_ERROR', 'no', { isTransient, hints: ['h'], side: 'source' }));
      }),
      { code: 'DT_REGISTRY_ERROR', isTransient: false, hints: ['h'], side: 'source' },
    );
    assert.equal(count, tries);
  }
});

test('a mistake of ours is not tried again', async () => {
  let count = 0;
  await assert.rejects(
    retryTransient(POLICY, undefined, () => {
      count++;
      return Promise.reject(new RangeError('ours'));
    }),
    RangeError,
  );
  assert.equal(count, 1);
});

test('gives what a later try gives', async () => {
  const result = await retryTransient(POLICY, undefined, (tryNumber) =>
    tryNumber < 3
      ? Promise.reject(new DtError('DT_REGISTRY_ERROR', 'not yet', { isTransient: true }))
      : Promise.resolve(tryNumber),
  );
  assert.equal(result, 3);
});

test('an interruption ends the waiting', async () => {
  const interruption = new AbortController();
  const pending = retryTransient({ retries: 5, minDelayMs: 60_000, maxDelayMs: 60_000 }, interruption.signal, () => {
    setImmediate(() => {
      interruption.abort();
    });
    return Promise.reject(new DtError('DT_REGISTRY_ERROR', 'no', { isTransient: true }));
  });
  await assert.rejects(pending, { code: 'DT_INTERRUPTED' });
});
