import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { forgeWrap, withOpened } from '../support/forged-wraps.ts';

const SMALL_FLOOD = 10_000;

test('artifacts that are attached to nothing but each other are refused', async () => {
  const wrap = await forgeWrap('attached', ({ images }) => {
    const [first, second] = images[0]?.attached ?? [];
    if (images[0] === undefined || first === undefined || second === undefined) return undefined;
    const [one, other] = [first.digest, second.digest];
    images[0].attached = [
      { subject: one, digest: other },
      { subject: other, digest: one },
    ];
    return undefined;
  });
  await assertWrapRefused(wrap, ['DT_WRAP_INVALID'], { throughProgram: false });
});

test('a wrap that names one signature 10,000 times reads it once', async () => {
  const wrap = await forgeWrap('attached', ({ images }) => {
    const [artifact] = images[0]?.attached ?? [];
    if (images[0] !== undefined && artifact !== undefined)
      images[0].attached = Array.from({ length: SMALL_FLOOD }, () => artifact);
    return undefined;
  });
  await withOpened(wrap, async ({ folders: [folder] }, context) => {
    const [image] = folder?.lock.images ?? [];
    assert.ok(folder && image);
    const { attached } = await folder.readImage(image, context);
    assert.equal(attached.length, SMALL_FLOOD);
    assert.ok(attached.every(({ graph }) => graph === attached[0]?.graph));
  });
});

for (const count of [SMALL_FLOOD + 1, 100_000]) {
  test(`an image with ${String(count)} signatures is refused`, async () => {
    const wrap = await forgeWrap('attached', ({ images }) => {
      const [artifact] = images[0]?.attached ?? [];
      if (images[0] !== undefined && artifact !== undefined)
        images[0].attached = Array.from({ length: count }, () => artifact);
      return undefined;
    });
    await assert.rejects(
      withOpened(wrap, () => Promise.resolve()),
      { code: 'DT_LIMIT_EXCEEDED' },
    );
  });
}

test('a wrap.json of more than 16 MiB is refused', async () => {
  const wrap = await forgeWrap('attached', (document) => {
    Object.assign(document, { more: 'x'.repeat(17 * 1024 * 1024) });
    return undefined;
  });
  await assert.rejects(
    withOpened(wrap, () => Promise.resolve()),
    { code: 'DT_LIMIT_EXCEEDED' },
  );
});
