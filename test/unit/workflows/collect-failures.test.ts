import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withSide } from '../../../src/domain/error-rules.ts';
import { DtError } from '../../../src/domain/errors.ts';
import { combineFailures, listFailures, toOutcome, tryAll } from '../../../src/workflows/collect-failures.ts';

const OPTIONS = { concurrency: 2 };

test('failures are kept apart from results', async () => {
  const outcomes = await tryAll([1, 2, 3], OPTIONS, async (item) => {
    await Promise.resolve();
    if (item === 2) throw new DtError('DT_NOT_FOUND', 'two');
    return item;
  });
  assert.deepEqual(
    outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : outcome.result)),
    [1, 'DT_NOT_FOUND', 3],
  );
});

test('what is fatal or unforeseen is thrown', async () => {
  for (const fatal of [
    new DtError('DT_DISK_FULL', 'full'),
    new DtError('DT_INTERRUPTED', 'stop'),
    new TypeError('bug'),
  ]) {
    await assert.rejects(
      tryAll([1, 2], OPTIONS, () => Promise.reject(fatal)),
      fatal,
    );
  }
});

test('after an interruption the first error is thrown, whatever it is', async () => {
  const controller = new AbortController();
  const work = tryAll([1], { ...OPTIONS, signal: controller.signal }, () => {
    controller.abort();
    return Promise.reject(new DtError('DT_REGISTRY_UNREACHABLE', 'cut'));
  });
  await assert.rejects(work);
});

test('an image that fails twice is named once', () => {
  const outcomes = ['DT_NOT_FOUND', 'DT_AUTH_DENIED'].map((code) =>
    toOutcome(new DtError(code as 'DT_NOT_FOUND', code)),
  );
  const failures = listFailures(['a', 'a'], outcomes, (item) => item);
  assert.deepEqual(
    failures.map(({ error }) => error.code),
    ['DT_NOT_FOUND'],
  );
});

test('the worst class decides, all are carried, and a single one is named', () => {
  const failures = (['DT_NOT_FOUND', 'DT_AUTH_DENIED', 'DT_DIGEST_MISMATCH'] as const).map((code, index) => ({
    image: `r.example/i${String(index)}:1`,
    error: new DtError(code, code),
  }));
  const combined = (count: number): DtError =>
    combineFailures(failures.slice(0, count), { totalCount: 5, verb: 'pushed' });
  assert.deepEqual(
    [1, 2, 3].map((count) => combined(count).exitCode),
    [5, 4, 3],
  );
  assert.equal(combined(3).failures.length, 3);
  assert.ok(combined(1).message.includes('r.example/i0'));
  assert.equal(combined(1).failures.length, 1);
});

test('what is one failure of several images is told once, with all that is known', () => {
  const failures = ['a', 'b'].map((image) => ({
    image,
    error: new DtError('DT_REGISTRY_UNREACHABLE', 'cannot reach r', { detail: 'Own.' }),
  }));
  const error = combineFailures(failures, { totalCount: 2, verb: 'pushed', detail: 'The chart was not pushed.' });
  assert.deepEqual(
    [error.message, error.detail, error.failures.length],
    ['cannot reach r', 'Own. The chart was not pushed.', 2],
  );
});

test('registry errors get the side of the command, wrong content is the source, and a known side stays', () => {
  const failures = [
    { image: 'a', error: new DtError('DT_REGISTRY_ERROR', 'a') },
    { image: 'b', error: new DtError('DT_DIGEST_MISMATCH', 'b') },
    { image: 'c', error: new DtError('DT_DIGEST_MISMATCH', 'c', { side: 'destination' }) },
  ];
  const error = withSide(combineFailures(failures, { totalCount: 3, verb: 'pushed' }), 'destination');
  assert.deepEqual(
    error.failures.map((failure) => failure.error.side),
    ['destination', 'source', 'destination'],
  );
  assert.equal(error.side, 'source');
  assert.equal(withSide(new DtError('DT_AUTH_DENIED', 'x'), 'source').side, 'source');
  assert.equal(withSide(new DtError('DT_USAGE', 'x'), 'source').side, undefined);
  const original = new DtError('DT_NOT_FOUND', 'x', {
    hints: ['h'],
    detail: 'd',
    isTransient: true,
    isRefusal: true,
    cause: 1,
  });
  const copy = withSide(original, 'source');
  assert.deepEqual(
    [copy.hints, copy.detail, copy.isTransient, copy.isRefusal, copy.cause, copy.stack],
    [original.hints, original.detail, original.isTransient, original.isRefusal, original.cause, original.stack],
  );
});
