import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DtError, type ErrorCode } from '../../../src/domain/errors.ts';
import { askRegistries } from '../../../src/workflows/ask-registries.ts';

const OPTIONS = { concurrency: 4 };

/** Asks for `REGISTRY/NAME` items of which `fail` names those that fail, and tells which were asked for. */
async function ask(
  items: readonly string[],
  fail: (item: string) => ErrorCode | undefined,
  isRefused = false,
): Promise<{ asked: string[]; codes: (ErrorCode | undefined)[] }> {
  const asked: string[] = [];
  const questions = {
    registryOf: (item: string): string => item.split('/')[0] ?? '',
    refusesCredential: (): boolean => isRefused,
  };
  const outcomes = await askRegistries(items, questions, OPTIONS, async (item) => {
    asked.push(item);
    await Promise.resolve();
    const code = fail(item);
    if (code !== undefined) throw new DtError(code, item);
  });
  return { asked, codes: outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : undefined)) };
}

const ITEMS = ['r/1', 'r/2', 'r/3', 'r/4', 'r/5'];

test('every item is asked for once, and outcomes are in order', async () => {
  const { asked, codes } = await ask([...ITEMS, 's/1'], (item) => (item === 'r/4' ? 'DT_NOT_FOUND' : undefined));
  assert.deepEqual(asked.toSorted(), [...ITEMS, 's/1']);
  assert.deepEqual(codes, [undefined, undefined, undefined, 'DT_NOT_FOUND', undefined, undefined]);
});

test('a registry that cannot be reached is asked once; another one is asked for everything', async () => {
  const { asked, codes } = await ask([...ITEMS, 's/1', 's/2'], (item) =>
    item.startsWith('r/') ? 'DT_REGISTRY_UNREACHABLE' : undefined,
  );
  assert.deepEqual(asked.toSorted(), ['r/1', 's/1', 's/2']);
  assert.deepEqual(codes.slice(0, 5), Array<string>(5).fill('DT_REGISTRY_UNREACHABLE'));
  assert.deepEqual(codes.slice(5), [undefined, undefined]);
});

test('a registry that refuses the credential is asked three times, one after the other', async () => {
  const { asked, codes } = await ask(ITEMS, () => 'DT_AUTH_REQUIRED', true);
  assert.deepEqual(asked, ITEMS.slice(0, 3));
  assert.deepEqual(codes, Array<string>(5).fill('DT_AUTH_REQUIRED'));
});

test('images that nobody may see do not hide the others', async () => {
  const { asked, codes } = await ask(ITEMS, (item) => (item === 'r/5' ? undefined : 'DT_AUTH_REQUIRED'));
  assert.deepEqual(asked.toSorted(), ITEMS);
  assert.equal(codes[4], undefined);
});

test('a registry that refuses some and answers others is asked for all', async () => {
  const { asked, codes } = await ask(ITEMS, (item) => (item === 'r/2' ? undefined : 'DT_AUTH_DENIED'));
  assert.deepEqual(asked.toSorted(), ITEMS);
  assert.equal(codes[1], undefined);
  assert.equal((await ask(ITEMS, (item) => (item === 'r/1' ? 'DT_NOT_FOUND' : undefined))).asked.length, 5);
});
