import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catchError } from '../support/assert-refused.ts';
import { assertDamage, attachSignature, createKey, verifyBytes, withSource } from '../support/verify-wrap.ts';

for (const form of ['bundle', 'classic'] as const) {
  test(`a valid signature of another image counts for nothing (${form})`, async () => {
    await withSource(async (source) => {
      const key = await createKey(source.folder);
      await attachSignature(source, source.app, key.privateKey, { form });
      // Attached to this image, by the right key, but about the other one.
      await attachSignature(source, source.tool, key.privateKey, { form, about: source.app.digest });
      const wrap = await source.wrap();
      const error = await catchError(verifyBytes(wrap, key));
      assertDamage(error, { code: 'DT_SIGNATURE_INVALID', image: 'tool:2' });
      assert.equal((error as { failures: unknown[] }).failures.length, 1);
    });
  });

  test(`the signature of one platform does not sign the index (${form})`, async () => {
    await withSource(async (source) => {
      const key = await createKey(source.folder);
      const [platform] = source.app.platforms;
      assert.ok(platform !== undefined);
      await attachSignature(source, { ...source.app, digest: platform }, key.privateKey, { form });
      await attachSignature(source, source.tool, key.privateKey, { form });
      const error = await catchError(verifyBytes(await source.wrap(), key));
      assertDamage(error, { code: 'DT_SIGNATURE_MISSING', image: 'app:1' });
    });
  });
}
