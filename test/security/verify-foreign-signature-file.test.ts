import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBlobSigner } from '../../src/trust/blob-signer.ts';
import { catchError } from '../support/assert-refused.ts';
import { createStatementBundle, toJson } from '../support/signatures.ts';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { assertDamage, attachSignature, createKey, verifyBytes, withSource } from '../support/verify-wrap.ts';

test('the signature of another wrap, by the right key, is refused', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    for (const image of [source.app, source.tool]) await attachSignature(source, image, key.privateKey);
    const wrap = await source.wrap();
    const signer = createBlobSigner(key.privateKey);
    signer.update(await source.wrap({ skipAttached: true, outputFile: `${source.folder}/other.wrap.tgz` }));
    const bundle = signer.finish();
    // Every image is signed: it is the file beside the wrap that speaks against it.
    await verifyBytes(wrap, key);
    const error = await catchError(verifyBytes(wrap, key, bundle));
    assertDamage(error, { code: 'DT_SIGNATURE_INVALID' });
    assert.equal((error as { failures: unknown[] }).failures.length, 1);
  });
});

test('an attestation about the wrap is no signature of it', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    const wrap = await source.wrap();
    const [signature, attestation] = [undefined, 'https://slsa.dev/provenance/v1'].map((type) =>
      toJson(createStatementBundle(digestOf(wrap), key.privateKey, {}, type)),
    );
    await verifyBytes(wrap, key, signature);
    assertDamage(await catchError(verifyBytes(wrap, key, attestation)), { code: 'DT_SIGNATURE_INVALID' });
  });
});

test('a wrap that was changed after it was signed is refused', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    const wrap = await source.wrap();
    const signer = createBlobSigner(key.privateKey);
    signer.update(wrap);
    const bundle = signer.finish();
    assert.equal((await verifyBytes(wrap, key, bundle)).result.signatures[0]?.status, 'valid');
    // Another honest wrap of the same images.
    const other = await source.wrap({
      skipAttached: true,
      skipImages: true,
      outputFile: `${source.folder}/other.wrap.tgz`,
    });
    assertDamage(await catchError(verifyBytes(other, key, bundle)), { code: 'DT_SIGNATURE_INVALID' });
  });
});
