import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DtError, EXIT_CODES, type ErrorCode } from '../../src/domain/errors.ts';
import { attachedTag } from '../../src/domain/oci/attached-artifact.ts';
import { digestOf, type Digest } from '../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_EMPTY_CONFIG,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../src/domain/oci/media-types.ts';
import { SilentReporter } from '../../src/output/silent-reporter.ts';
import { MEDIA_TYPE_SIGSTORE_BUNDLE } from '../../src/trust/verify-image-bundle.ts';
import { MEDIA_TYPE_SIMPLE_SIGNING } from '../../src/trust/verify-simple-signing.ts';
import type { TrustOptions } from '../../src/workflows/verifying/trust-options.ts';
import { verifyWrap, type VerifyWrapResult } from '../../src/workflows/verify-wrap.ts';
import { wrapCharts, type WrapChartsOptions } from '../../src/workflows/wrap-charts.ts';
import { catchError } from './assert-refused.ts';
import { chartFiles, createTestContext, withFolder, writeFiles } from './hostile-wraps.ts';
import { pushBlob, pushImage, pushManifest } from './images.ts';
import { startEmbeddedRegistry } from './registries.ts';
import { createSimplePayload, createStatementBundle, toJson } from './signatures.ts';

/** What the damage of a wrap must be found as. */
export interface ExpectedDamage {
  readonly code: ErrorCode;
  /** The end of the path of the entry that is named. */
  readonly entry?: string;
  /** The end of the reference of an image that is named. */
  readonly image?: string;
}

export interface VerifiedFile {
  readonly result: VerifyWrapResult;
  readonly warnings: readonly string[];
}

/** Verifies a file. Throws what the workflow throws. */
export async function verifyFile(file: string, trust: TrustOptions = {}): Promise<VerifiedFile> {
  const warnings: string[] = [];
  const reporter = new SilentReporter({
    write: (text) => {
      warnings.push(text);
    },
    showsWarnings: true,
  });
  const result = await verifyWrap({ file, ...trust }, { reporter, signal: new AbortController().signal });
  return { result, warnings };
}

/** Verifies bytes as a wrap, with a signature beside it if one is given. */
export async function verifyBytes(
  wrap: Uint8Array,
  trust: TrustOptions = {},
  signature?: Uint8Array,
): Promise<VerifiedFile> {
  return withFolder(async (folder) => {
    const file = join(folder, 'w.wrap.tgz');
    await writeFile(file, wrap);
    if (signature !== undefined) await writeFile(`${file}.sigstore.json`, signature);
    return verifyFile(file, trust);
  });
}

/** Wants the bytes to be refused, with exit code 3, and the damage among what is named. */
export async function assertDamaged(
  wrap: Uint8Array,
  expected: ExpectedDamage,
  trust: TrustOptions = {},
): Promise<DtError> {
  const error = await catchError(verifyBytes(wrap, trust));
  assertDamage(error, expected);
  return error as DtError;
}

export function assertDamage(error: unknown, { code, entry = '', image }: ExpectedDamage): void {
  assert.ok(
    error instanceof DtError,
    `not refused on purpose: ${error instanceof Error ? String(error.stack) : String(error)}`,
  );
  assert.equal(error.exitCode, EXIT_CODES.verification, error.message);
  const found = error.failures.map((failure) => ({
    code: failure.error.code,
    entry: failure.entry,
    images: failure.images,
    message: failure.error.message,
  }));
  const isFound = found.some(
    (damage) =>
      damage.code === code &&
      (damage.entry ?? '').endsWith(entry) &&
      (image === undefined || damage.images?.some((name) => name.endsWith(image)) === true),
  );
  assert.ok(
    isFound,
    `${JSON.stringify({ code, entry, image })} is not among ${error.code} ${error.message} ${JSON.stringify(found, null, 1)}`,
  );
}

export interface SourceImage {
  readonly reference: string;
  readonly digest: Digest;
  readonly platforms: readonly Digest[];
}

/** A registry with two images (`app:1` of two platforms, `tool:2` of one), and what wraps of them need. */
export interface VerifySource {
  readonly host: string;
  readonly folder: string;
  readonly app: SourceImage;
  readonly tool: SourceImage;
  /** Makes a wrap of a chart with both images, in the folder. */
  wrap(options?: Partial<WrapChartsOptions>): Promise<Buffer>;
}

export async function withSource<T>(run: (source: VerifySource) => Promise<T>): Promise<T> {
  const registry = await startEmbeddedRegistry();
  const { host } = registry;
  try {
    return await withFolder(async (folder) => {
      const app = await pushImage(host, 'app:1', {
        layerBytes: 80_000,
        seed: 'app',
        sharedLayers: 1,
        sharedSeed: 'base',
      });
      const tool = await pushImage(host, 'tool:2', {
        platforms: ['linux/amd64'],
        layerBytes: 80_000,
        seed: 'tool',
        sharedLayers: 1,
        sharedSeed: 'base',
      });
      await writeFiles(join(folder, 'demo'), chartFiles([`${host}/app:1`, `${host}/tool:2`]));
      const describe = (name: string, { digest, manifests }: typeof app): SourceImage => ({
        reference: `${host}/${name}`,
        digest,
        platforms: manifests.map((manifest) => manifest.digest),
      });
      return run({
        host,
        folder,
        app: describe('app:1', app),
        tool: describe('tool:2', tool),
        wrap: async (options = {}) => {
          const outputFile = options.outputFile ?? join(folder, 'demo.wrap.tgz');
          const defaults = { platforms: [], allowEmpty: false, skipImages: false, isCompatible: false };
          const sources = [{ location: join(folder, 'demo') }] as const;
          await wrapCharts({ sources, ...defaults, ...options, outputFile }, await createTestContext());
          return readFile(outputFile);
        },
      });
    });
  } finally {
    await registry.close();
  }
}

/** A pair of keys whose public half lies in a file. */
export interface TestKey {
  readonly privateKey: KeyObject;
  readonly keyFile: string;
}

export async function createKey(folder: string, name = 'key'): Promise<TestKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyFile = join(folder, `${name}.pub`);
  await writeFile(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(folder, `${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { privateKey, keyFile };
}

/** Attaches to an image what `cosign sign` attaches: a bundle as referrer, or a layer under the tag of the digest. `about` may lie. */
export async function attachSignature(
  { host }: Pick<VerifySource, 'host'>,
  image: SourceImage,
  key: KeyObject,
  {
    form = 'bundle',
    about = image.digest,
    predicateType,
  }: { form?: 'bundle' | 'classic'; about?: Digest; predicateType?: string } = {},
): Promise<Digest> {
  const repository = (image.reference.split('/').at(-1) ?? '').split(':')[0] ?? '';
  const config = await pushBlob(host, repository, Buffer.from('{}'), MEDIA_TYPE_EMPTY_CONFIG);
  const payload =
    form === 'bundle' ? toJson(createStatementBundle(about, key, {}, predicateType)) : createSimplePayload(about);
  const mediaType = form === 'bundle' ? MEDIA_TYPE_SIGSTORE_BUNDLE : MEDIA_TYPE_SIMPLE_SIGNING;
  const layer = await pushBlob(host, repository, payload, mediaType);
  const signature = sign('sha256', payload, key).toString('base64');
  const subjectType = image.platforms.includes(image.digest) ? MEDIA_TYPE_OCI_MANIFEST : MEDIA_TYPE_OCI_INDEX;
  const bytes = toJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE_OCI_MANIFEST,
    config,
    ...(form === 'bundle'
      ? {
          artifactType: mediaType,
          layers: [layer],
          subject: { mediaType: subjectType, digest: image.digest, size: 500 },
        }
      : { layers: [{ ...layer, annotations: { 'dev.cosignproject.cosign/signature': signature } }] }),
  });
  const name = form === 'bundle' ? digestOf(bytes) : attachedTag(image.digest, 'sig');
  return pushManifest(host, repository, name, bytes, MEDIA_TYPE_OCI_MANIFEST);
}
