import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBlobSigner } from '../../src/trust/blob-signer.ts';
import {
  verifyFile,
  withSource,
  attachSignature,
  createKey,
  assertDamage,
  type VerifySource,
} from '../support/verify-wrap.ts';
import { catchError } from '../support/assert-refused.ts';
import { createCosign } from '../support/cosign.ts';
import { createSandbox } from '../support/sandbox.ts';
import { makeHonestWrap } from '../support/hostile-wraps.ts';

const ATTESTATION = 'https://slsa.dev/provenance/v1';

test('signatures that cosign attached to every image are trusted, in both forms', async (t) => {
  const cosign = await createCosign(t);
  if (cosign === undefined) return;
  await withSource(async (source) => {
    const images = [source.app, source.tool].map(
      ({ reference, digest }) => `${reference.replace(/:\d+$/, '')}@${digest}`,
    );
    await cosign.sign(images[0] ?? '', 'bundle');
    await cosign.attest(images[0] ?? '', 'bundle');
    await cosign.sign(images[1] ?? '', 'classic');
    await cosign.attest(images[1] ?? '', 'classic');
    const file = await wrapInto(source);
    const keyFile = join(source.folder, 'cosign.pub');
    await writeFile(keyFile, cosign.publicKey);
    const { result, warnings } = await verifyFile(file, { keyFile });
    assert.deepEqual(
      result.images.map(({ isSigned }) => isSigned),
      [true, true],
    );
    assert.deepEqual(
      result.signatures.map(({ kind, status, form }) => `${String(kind)} ${status} ${form}`).toSorted(),
      ['attestation valid bundle', 'attestation valid classic', 'signature valid bundle', 'signature valid classic'],
    );
    assert.match(warnings.join(''), /nobody vouches for the chart/);

    const { keyFile: stranger } = await createKey(source.folder, 'stranger');
    const error = await catchError(verifyFile(file, { keyFile: stranger }));
    assertDamage(error, { code: 'DT_SIGNATURE_INVALID', image: 'app:1' });
    assertDamage(error, { code: 'DT_SIGNATURE_INVALID', image: 'tool:2' });
  });
});

test('one image without a signature is enough to distrust a wrap that is not signed itself', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    await attachSignature(source, source.app, key.privateKey);
    const file = await wrapInto(source);
    const error = await catchError(verifyFile(file, key));
    assertDamage(error, { code: 'DT_SIGNATURE_MISSING', image: 'tool:2' });
    assert.equal((error as { failures: unknown[] }).failures.length, 1);

    // Without a key nothing is asked.
    const { result } = await verifyFile(file);
    assert.deepEqual(
      result.signatures.map(({ status }) => status),
      ['unchecked'],
    );

    // The signature of the wrap speaks for all that is in it.
    await signFile(file, key.privateKey);
    const signed = await verifyFile(file, key);
    assert.deepEqual(
      signed.result.images.map(({ isSigned }) => isSigned),
      [true, false],
    );
    assert.deepEqual(
      signed.result.signatures.map(({ image, status }) => [image === undefined, status]),
      [
        [true, 'valid'],
        [false, 'valid'],
      ],
    );
    assert.deepEqual(signed.warnings, []);
    assert.deepEqual(
      (await verifyFile(file)).result.signatures.map(({ status }) => status),
      ['unchecked', 'unchecked'],
    );
  });
});

test('a signature of the wrap that does not hold distrusts it, however well its images are signed', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    const stranger = await createKey(source.folder, 'stranger');
    await attachSignature(source, source.app, key.privateKey);
    await attachSignature(source, source.tool, key.privateKey, { form: 'classic' });
    const file = await wrapInto(source);
    await verifyFile(file, key);
    await signFile(file, stranger.privateKey);
    assertDamage(await catchError(verifyFile(file, key)), { code: 'DT_SIGNATURE_INVALID' });
    await writeFile(`${file}.sigstore.json`, '{}');
    assertDamage(await catchError(verifyFile(file, key)), { code: 'DT_SIGNATURE_INVALID' });
  });
});

test('attestations do not sign an image', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    for (const image of [source.app, source.tool]) {
      await attachSignature(source, image, key.privateKey, { predicateType: ATTESTATION });
    }
    const file = await wrapInto(source);
    const error = await catchError(verifyFile(file, key));
    assertDamage(error, { code: 'DT_SIGNATURE_MISSING', image: 'app:1' });
    assertDamage(error, { code: 'DT_SIGNATURE_MISSING', image: 'tool:2' });
  });
});

test('a wrap whose images are only named, or that has none, needs a signature of its own', async () => {
  await withSource(async (source) => {
    const key = await createKey(source.folder);
    for (const options of [{ skipImages: true }, { annotationsKey: 'none', allowEmpty: true }]) {
      const file = await wrapInto(source, options);
      assertDamage(await catchError(verifyFile(file, key)), { code: 'DT_SIGNATURE_MISSING' });
      await signFile(file, key.privateKey);
      assert.equal((await verifyFile(file, key)).result.signatures[0]?.status, 'valid');
    }
  });
});

test('options that do not fit are refused before the wrap is read', async (t) => {
  const sandbox = await createSandbox(t);
  await writeFile(join(sandbox.work, 'w.wrap.tgz'), await makeHonestWrap());
  const { keyFile } = await createKey(sandbox.work);
  const [identity, issuer, root] = [
    ['--certificate-identity', 'a@example.com'],
    ['--certificate-oidc-issuer', 'https://issuer.example.com'],
    ['--trusted-root', keyFile],
  ];
  for (const [flags, code, exitCode] of [
    [['--key', keyFile, ...identity], 'DT_USAGE', 2],
    [['--key', keyFile, ...root], 'DT_USAGE', 2],
    [identity, 'DT_USAGE', 2],
    [[...identity, ...issuer], 'DT_USAGE', 2],
    [[...identity, ...root], 'DT_USAGE', 2],
    [root, 'DT_USAGE', 2],
    [issuer, 'DT_USAGE', 2],
    [['--signature', 'x.json'], 'DT_USAGE', 2],
    [['--key', ''], 'DT_USAGE', 2],
    [['--key', 'missing.pub'], 'DT_FILE_NOT_FOUND', 1],
    [['--key', 'key.pem'], 'DT_KEY_INVALID', 1],
    [['--key', keyFile, '--signature', 'missing.json'], 'DT_FILE_NOT_FOUND', 1],
    [[...identity, ...issuer, ...root], 'DT_TRUSTED_ROOT_INVALID', 1],
  ] as const) {
    const result = await sandbox.run(['verify', 'w.wrap.tgz', ...flags]);
    assert.match(result.stderr, new RegExp(`Code: ${code}\\n`), flags.join(' '));
    assert.equal(result.code, exitCode, flags.join(' '));
  }
});

async function wrapInto(source: VerifySource, options: object = {}): Promise<string> {
  const outputFile = join(source.folder, `w${String(Object.keys(options).length)}.wrap.tgz`);
  await source.wrap({ ...options, outputFile });
  return outputFile;
}

async function signFile(file: string, key: Parameters<typeof createBlobSigner>[0]): Promise<void> {
  const signer = createBlobSigner(key);
  signer.update(await readFile(file));
  await writeFile(`${file}.sigstore.json`, signer.finish());
}
