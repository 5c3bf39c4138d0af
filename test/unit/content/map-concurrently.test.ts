import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapConcurrently } from '../../../src/content/map-concurrently.ts';

test('gives results in the order of the items, with no more at a time than allowed', async () => {
  let running = 0;
  let most = 0;
  const results = await mapConcurrently([30, 1, 20, 5, 10, 1], { concurrency: 3 }, async (delay) => {
    running++;
    most = Math.max(most, running);
    await sleep(delay);
    running--;
    return delay * 2;
  });
  assert.deepEqual(results, [60, 2, 40, 10, 20, 2]);
  assert.equal(most, 3);
});

test('the first failure aborts the siblings, starts nothing new, and is thrown when all have ended', async () => {
  const started: number[] = [];
  const aborted: number[] = [];
  let running = 0;
  const failure = new Error('first');
  const promise = mapConcurrently([0, 1, 2, 3, 4, 5], { concurrency: 3 }, async (item, signal) => {
    started.push(item);
    running++;
    try {
      if (item === 1) {
        await sleep(5);
        throw failure;
      }
      await sleep(10_000, undefined, { signal });
    } catch (error) {
      if (signal.aborted && item !== 1) aborted.push(item);
      throw error;
    } finally {
      running--;
    }
  });
  await assert.rejects(promise, failure);
  assert.deepEqual(started, [0, 1, 2]);
  assert.deepEqual(aborted, [0, 2]);
  assert.equal(running, 0);
});

test('an interruption from outside ends it with its own reason', async () => {
  const controller = new AbortController();
  const reason = new Error('interrupted');
  const promise = mapConcurrently([1, 2, 3], { concurrency: 1, signal: controller.signal }, async (item) => {
    if (item === 2) controller.abort(reason);
    return Promise.resolve(item);
  });
  await assert.rejects(promise, reason);
  let isStarted = false;
  const late = mapConcurrently([1], { concurrency: 1, signal: controller.signal }, async () => {
    isStarted = true;
    return Promise.resolve();
  });
  await assert.rejects(late, reason);
  assert.equal(isStarted, false);
});

test('nothing to do is done at once', async () => {
  assert.deepEqual(await mapConcurrently([], { concurrency: 5 }, () => Promise.reject(new Error('never'))), []);
});

test('a work function that throws at once counts as a failure', async () => {
  const failure = new Error('at once');
  await assert.rejects(
    mapConcurrently([1], { concurrency: 5 }, () => {
      throw failure;
    }),
    failure,
  );
});
