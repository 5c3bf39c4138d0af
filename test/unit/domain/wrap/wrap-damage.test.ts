import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DtError } from '../../../../src/domain/errors.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { DamageList, MAX_DAMAGES } from '../../../../src/domain/wrap/wrap-damage.ts';

const DIGEST = digestOf('layer');

test('one damage is kept once, with every image that it concerns', () => {
  const damages = new DamageList();
  damages.add('DT_DIGEST_MISMATCH', 'it is another blob', { entry: 'a/b', digest: DIGEST });
  damages.addMissing(DIGEST, 'it is missing', 'app:1');
  damages.addMissing(DIGEST, 'it is missing', 'tool:2');
  damages.addImage(DIGEST, 'app:1');
  assert.deepEqual(damages.list(), [
    {
      code: 'DT_DIGEST_MISMATCH',
      message: 'it is another blob',
      entry: 'a/b',
      digest: DIGEST,
      images: ['app:1', 'tool:2'],
    },
  ]);
});

test('what is missing without a known reason is a damage of its own', () => {
  const damages = new DamageList();
  assert.equal(damages.addImage(DIGEST, 'app:1'), false);
  damages.addMissing(DIGEST, 'it is missing', 'app:1');
  damages.addMissing(DIGEST, 'it is missing', 'tool:2');
  assert.deepEqual(damages.list(), [
    { code: 'DT_WRAP_INCOMPLETE', message: 'it is missing', digest: DIGEST, images: ['app:1', 'tool:2'] },
  ]);
});

test('every damage is a failure of verification', () => {
  const damages = new DamageList();
  damages.addError(new DtError('DT_CHART_INVALID', 'no chart'));
  damages.addError(new DtError('DT_LOCK_INVALID', 'no lock'));
  assert.deepEqual(
    damages.list().map(({ code }) => code),
    ['DT_WRAP_INVALID', 'DT_LOCK_INVALID'],
  );
});

test('a wrap that is nothing but damage does not fill the memory', () => {
  const damages = new DamageList();
  for (let i = 0; i < 2 * MAX_DAMAGES; i++) damages.add('DT_WRAP_INVALID', String(i));
  assert.equal(damages.list().length, MAX_DAMAGES);
  assert.equal(damages.count, 2 * MAX_DAMAGES);
});
