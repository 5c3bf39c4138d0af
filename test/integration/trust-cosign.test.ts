import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Digest } from '../../src/domain/oci/digest.ts';
import { createBlobSigner } from '../../src/trust/blob-signer.ts';
import { createBlobVerifier } from '../../src/trust/blob-verifier.ts';
import { keyFingerprint } from '../../src/trust/key-algorithm.ts';
import { readPrivateKey, readPublicKey } from '../../src/trust/read-key.ts';
import type { KeyPolicy, VerifiedSignature } from '../../src/trust/trust-policy.ts';
import { MEDIA_TYPE_DSSE_ENVELOPE, verifyDsseLayer } from '../../src/trust/verify-dsse-layer.ts';
import { MEDIA_TYPE_SIGSTORE_BUNDLE, verifyImageBundle } from '../../src/trust/verify-image-bundle.ts';
import { MEDIA_TYPE_SIMPLE_SIGNING, verifySimpleSigning } from '../../src/trust/verify-simple-signing.ts';
import { createCosign, type TestCosign } from '../support/cosign.ts';
import { pushImage } from '../support/images.ts';
import { readStoredBlob, readStoredManifest } from '../support/registry-content.ts';
import {
  findDistribution3,
  startDistribution3,
  startEmbeddedRegistry,
  type TestRegistry,
} from '../support/registries.ts';
import { skipLoudly } from '../support/skip-loudly.ts';

const FILE_BYTES = 3_000_001;
const ATTESTATION = 'https://cosign.sigstore.dev/attestation/v1';

test('cosign takes the signature that we make of a file, with its own encrypted key', async (t) => {
  const cosign = await createCosign(t);
  if (cosign === undefined) return;
  const file = await writeSomeFile(cosign);
  const signer = createBlobSigner(readPrivateKey(cosign.privateKey, 'cosign.key', cosign.password));
  for await (const chunk of createReadStream(file)) signer.update(chunk as Buffer);
  await writeFile(`${file}.ours`, signer.finish());
  const { code, stderr } = await cosign.verifyFile(file, `${file}.ours`);
  assert.equal(code, 0, stderr);

  await flipByte(file);
  assert.notEqual((await cosign.verifyFile(file, `${file}.ours`)).code, 0);
});

test('we take the signature that cosign makes of a file', async (t) => {
  const cosign = await createCosign(t);
  if (cosign === undefined) return;
  const file = await writeSomeFile(cosign);
  const bundle = await readFile(await cosign.signFile(file));
  const policy = policyOf(cosign);
  assert.deepEqual(await verifyFile(file, bundle, policy), {
    kind: 'signature',
    signer: { kind: 'key', fingerprint: keyFingerprint(policy.key) },
  });

  await flipByte(file);
  await assert.rejects(verifyFile(file, bundle, policy), { code: 'DT_SIGNATURE_INVALID' });
});

test('cosign takes our signatures with the other keys that we sign with', async (t) => {
  const cosign = await createCosign(t);
  if (cosign === undefined) return;
  const file = await writeSomeFile(cosign);
  for (const [name, { privateKey, publicKey }] of Object.entries({
    p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    rsa: generateKeyPairSync('rsa', { modulusLength: 3072 }),
  })) {
    const key = join(cosign.folder, `${name}.pem`);
    await writeFile(`${key}.pub`, publicKey.export({ type: 'spki', format: 'pem' }));
    const signer = createBlobSigner(privateKey);
    signer.update(await readFile(file));
    await writeFile(`${file}.${name}`, signer.finish());
    const flags = ['--key', `${key}.pub`, '--bundle', `${file}.${name}`, '--insecure-ignore-tlog=true'];
    const { code, stderr } = await cosign.run(['verify-blob', ...flags, file]);
    assert.equal(code, 0, `${name}: ${stderr}`);
  }
});

for (const [name, start] of Object.entries({
  'the embedded registry': () => startEmbeddedRegistry(),
  'distribution 3': () => startDistribution3(),
})) {
  test(`signatures and attestations of cosign in ${name}, both forms`, async (t) => {
    const [cosign, other] = [await createCosign(t), await createCosign(t)];
    if (cosign === undefined || other === undefined) return;
    if (name === 'distribution 3' && findDistribution3() === undefined) {
      skipLoudly(t, 'distribution 3 is missing: run "npm run tools"');
      return;
    }
    const registry = await startFor(t, start);
    const { digest } = await pushImage(registry.host, 'app:1');
    const { digest: strange } = await pushImage(registry.host, 'app:2', { seed: 2 });
    const image = `${registry.host}/app@${digest}`;
    for (const form of ['bundle', 'classic'] as const) {
      await cosign.sign(image, form);
      await cosign.attest(image, form);
      assert.equal((await cosign.verify(image, form)).code, 0);
      assert.equal((await cosign.verifyAttestation(image, form)).code, 0);
    }
    const attached = await readAttached(registry.host, 'app', digest);
    assert.deepEqual(attached.map(({ layer }) => layer.mediaType).toSorted(), [
      MEDIA_TYPE_SIMPLE_SIGNING,
      MEDIA_TYPE_SIGSTORE_BUNDLE,
      MEDIA_TYPE_SIGSTORE_BUNDLE,
      MEDIA_TYPE_DSSE_ENVELOPE,
    ]);
    const policy = policyOf(cosign);
    const found = attached.map((layer) => verifyAttached(layer, digest, policy));
    assert.deepEqual(found.map(({ kind }) => kind).toSorted(), [
      'attestation',
      'attestation',
      'signature',
      'signature',
    ]);
    assert.ok(found.every(({ kind, predicateType }) => kind === 'signature' || predicateType === ATTESTATION));
    for (const layer of attached) {
      refuse(() => verifyAttached(layer, strange, policy));
      refuse(() => verifyAttached(layer, digest, policyOf(other)));
      // Quotes around the first name of the JSON text.
      refuse(() => verifyAttached({ ...layer, bytes: Buffer.from(layer.bytes).fill('x', 1, 3) }, digest, policy));
    }
  });
}

interface AttachedLayer {
  readonly layer: { readonly mediaType: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly bytes: Buffer;
}

/** The layers of all referrers and of the tags for signature and attestation. */
async function readAttached(host: string, repository: string, subject: Digest): Promise<AttachedLayer[]> {
  const tag = subject.replace(':', '-');
  const response = await fetch(`http://${host}/v2/${repository}/referrers/${subject}`);
  // Distribution 3 has no list of referrers: there they are under a tag.
  const list =
    response.status === 200
      ? ((await response.json()) as { manifests: { digest: string }[] })
      : (await readStoredManifest(host, repository, tag))?.manifest;
  const referrers = list?.manifests?.map(({ digest }) => digest) ?? [];
  const layers: AttachedLayer[] = [];
  for (const name of [...referrers, `${tag}.sig`, `${tag}.att`]) {
    const stored = await readStoredManifest(host, repository, name);
    for (const layer of stored?.manifest.layers ?? []) {
      layers.push({ layer, bytes: await readStoredBlob(host, repository, layer.digest) });
    }
  }
  return layers;
}

function verifyAttached({ layer, bytes }: AttachedLayer, subject: Digest, policy: KeyPolicy): VerifiedSignature {
  const { mediaType, annotations = {} } = layer;
  if (mediaType === MEDIA_TYPE_SIGSTORE_BUNDLE) return verifyImageBundle(bytes, subject, policy);
  if (mediaType === MEDIA_TYPE_SIMPLE_SIGNING) return verifySimpleSigning(bytes, annotations, subject, policy);
  return verifyDsseLayer(bytes, annotations, subject, policy);
}

async function verifyFile(file: string, bundle: Buffer, policy: KeyPolicy): Promise<VerifiedSignature> {
  const verifier = createBlobVerifier(bundle, policy);
  for await (const chunk of createReadStream(file)) verifier.update(chunk as Buffer);
  return verifier.finish();
}

async function writeSomeFile(cosign: TestCosign): Promise<string> {
  const path = join(cosign.folder, 'wrap.tgz');
  await writeFile(path, Buffer.alloc(FILE_BYTES, 'a wrap'));
  return path;
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[FILE_BYTES >> 1] = (bytes[FILE_BYTES >> 1] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

async function startFor(t: TestContext, start: () => Promise<TestRegistry>): Promise<TestRegistry> {
  const registry = await start();
  t.after(async () => registry.close());
  return registry;
}

function policyOf(cosign: TestCosign): KeyPolicy {
  return { kind: 'key', key: readPublicKey(cosign.publicKey, 'cosign.pub') };
}

function refuse(verify: () => unknown): void {
  assert.throws(verify, { code: 'DT_SIGNATURE_INVALID' });
}
