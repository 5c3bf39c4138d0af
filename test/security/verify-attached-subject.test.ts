import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleWrap, editJson, takeApart } from '../support/hostile-wraps.ts';
import { assertDamaged, attachSignature, createKey, verifyBytes, withSource } from '../support/verify-wrap.ts';

interface Document {
  images: { reference: string; attached?: { subject: string; digest: string; tag?: string }[] }[];
}

test('an artifact that is said to belong to another manifest than it names is found', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    await attachSignature(source, source.app, key.privateKey);
    const pieces = await takeApart(await source.wrap());
    await verifyBytes(await assembleWrap(pieces));
    for (const subject of [source.app.platforms[0], source.tool.digest]) {
      const edited = editJson(pieces, '/.dt/wrap.json', (document) => {
        const [artifact] = (document as unknown as Document).images.flatMap(({ attached = [] }) => attached);
        assert.ok(artifact !== undefined && subject !== undefined);
        artifact.subject = subject;
      });
      await assertDamaged(await assembleWrap(edited), { code: 'DT_MANIFEST_INVALID', image: 'app:1' });
    }
  });
});

test('an artifact that is given to another image is found', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    await attachSignature(source, source.app, key.privateKey, { form: 'classic' });
    const pieces = await takeApart(await source.wrap());
    const edited = editJson(pieces, '/.dt/wrap.json', (document) => {
      const [app, tool] = (document as unknown as Document).images;
      assert.ok(app?.attached !== undefined && tool !== undefined);
      // The signature of one image, still with the subject that it has.
      tool.attached = app.attached;
    });
    await assertDamaged(await assembleWrap(edited), { code: 'DT_MANIFEST_INVALID', image: 'tool:2' });
  });
});

test('an artifact of which a blob is gone is found', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    const artifact = await attachSignature(source, source.app, key.privateKey);
    const pieces = (await takeApart(await source.wrap())).filter(
      ({ header }) =>
        !(header.name.includes(`${artifact.slice(7)}.layout/blobs/`) && !header.name.endsWith(artifact.slice(7))),
    );
    await assertDamaged(await assembleWrap(pieces), { code: 'DT_WRAP_INCOMPLETE', image: 'app:1' });
  });
});
