import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { RunCliResult } from './run-cli.ts';
import { createSandbox } from './sandbox.ts';
import { requireTool } from './tools.ts';

/** Services for signing: none. With it cosign uploads nothing to a transparency log. */
const EMPTY_SIGNING_CONFIG = {
  mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
  rekorTlogConfig: {},
  tsaConfig: {},
};
const REGISTRY_FLAGS = ['--allow-http-registry'];
const NO_LOG_FLAGS = ['--insecure-ignore-tlog=true'];
const CLASSIC_FLAG = '--new-bundle-format=false';
const CLASSIC_SIGNING_FLAGS = ['--use-signing-config=false', '--tlog-upload=false', CLASSIC_FLAG, '--yes'];

/** How signatures are kept: bundles as referrers (cosign 3), or layers under a tag made of the digest (before). */
export type SignatureForm = 'bundle' | 'classic';

/** The real cosign with a pair of keys, without the world outside: no log, no time stamps, no identity. */
export interface TestCosign {
  readonly folder: string;
  readonly password: string;
  /** PEM texts. */
  readonly publicKey: string;
  readonly privateKey: string;
  run(args: readonly string[]): Promise<RunCliResult>;
  /** Signs a file; the path of the bundle. */
  signFile(path: string): Promise<string>;
  verifyFile(path: string, bundlePath: string): Promise<RunCliResult>;
  /** Signs `REGISTRY/REPOSITORY@DIGEST`. */
  sign(image: string, form?: SignatureForm): Promise<void>;
  verify(image: string, form?: SignatureForm): Promise<RunCliResult>;
  /** Attaches an attestation of cosign's own predicate type. */
  attest(image: string, form?: SignatureForm): Promise<void>;
  verifyAttestation(image: string, form?: SignatureForm): Promise<RunCliResult>;
}

/** Makes keys with cosign in a sandbox of the test. Undefined, with the test skipped, where there is no cosign. */
export async function createCosign(t: TestContext): Promise<TestCosign | undefined> {
  const command = requireTool(t, 'cosign');
  if (command === undefined) return undefined;
  const sandbox = await createSandbox(t);
  const path = (name: string): string => join(sandbox.work, name);
  const password = 'not-a-secret';
  // Nothing listens there: whatever cosign would ask the public Sigstore for fails at once.
  const env = { COSIGN_PASSWORD: password, HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1,localhost' };
  const run = async (args: readonly string[]): Promise<RunCliResult> => sandbox.run(args, { command, env });
  const runOk = async (args: readonly string[]): Promise<void> => {
    await sandbox.runOk(args, { command, env });
  };
  await runOk(['generate-key-pair']);
  await writeFile(path('signing.json'), JSON.stringify(EMPTY_SIGNING_CONFIG));
  await writeFile(path('predicate.json'), '{"tested":true}');
  const bundleFlags = ['--signing-config', path('signing.json'), '--yes'];
  const signing = (form: SignatureForm): readonly string[] => [
    ...['--key', path('cosign.key')],
    ...(form === 'bundle' ? bundleFlags : CLASSIC_SIGNING_FLAGS),
    ...REGISTRY_FLAGS,
  ];
  const verifying = (form: SignatureForm): readonly string[] => [
    ...['--key', path('cosign.pub')],
    ...(form === 'bundle' ? [] : [CLASSIC_FLAG]),
    ...NO_LOG_FLAGS,
    ...REGISTRY_FLAGS,
  ];
  const predicate = ['--predicate', path('predicate.json'), '--type', 'custom'];
  return {
    folder: sandbox.work,
    password,
    publicKey: await readFile(path('cosign.pub'), 'utf8'),
    privateKey: await readFile(path('cosign.key'), 'utf8'),
    run,
    signFile: async (file) => {
      await runOk(['sign-blob', '--key', path('cosign.key'), ...bundleFlags, '--bundle', `${file}.bundle`, file]);
      return `${file}.bundle`;
    },
    verifyFile: async (file, bundle) =>
      run(['verify-blob', '--key', path('cosign.pub'), '--bundle', bundle, ...NO_LOG_FLAGS, file]),
    sign: async (image, form = 'bundle') => runOk(['sign', ...signing(form), image]),
    verify: async (image, form = 'bundle') => run(['verify', ...verifying(form), image]),
    attest: async (image, form = 'bundle') => runOk(['attest', ...signing(form), ...predicate, image]),
    verifyAttestation: async (image, form = 'bundle') =>
      run(['verify-attestation', ...verifying(form), '--type', 'custom', image]),
  };
}
