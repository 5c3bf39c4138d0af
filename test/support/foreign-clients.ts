import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { runCli } from './run-cli.ts';
import type { Sandbox } from './sandbox.ts';
import { requireTool } from './tools.ts';

/** What other people's clients find in registries over plain HTTP: nothing here is read with our own. */
export interface ForeignClients {
  /** The digest of a tag or digest as crane has it from the registry; undefined if there is no such thing. */
  digest(reference: string): Promise<string | undefined>;
  /** The manifest's bytes as crane gets them. */
  manifest(reference: string): Promise<Buffer>;
  /** Lets crane read every manifest, config and layer of an image. Throws, with what crane said, if something is wrong. */
  validate(reference: string): Promise<void>;
  /** Runs regctl; standard output. */
  regctl(registry: string, args: readonly string[]): Promise<string>;
  tags(repository: string): Promise<string[]>;
  /** Digests of all referrers that regctl finds, by the API or the tag that stands in for it. */
  referrers(reference: string): Promise<{ readonly digest: string; readonly artifactType?: string }[]>;
}

/** crane and regctl. Undefined, with the test skipped, where one is missing. */
export function useForeignClients(t: TestContext, sandbox: Pick<Sandbox, 'env' | 'work'>): ForeignClients | undefined {
  const [crane, regctlPath] = [requireTool(t, 'crane'), requireTool(t, 'regctl')];
  if (crane === undefined || regctlPath === undefined) return undefined;
  const run = async (command: string, args: readonly string[]): ReturnType<typeof runCli> =>
    runCli(args, { command, env: sandbox.env, cwd: sandbox.work });
  const runOk = async (command: string, args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(command, args);
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
    return stdout;
  };
  const regctl = async (registry: string, args: readonly string[]): Promise<string> =>
    runOk(regctlPath, [...args, '--host', `reg=${registry},tls=disabled`]);
  const registryOf = (reference: string): string => reference.slice(0, reference.indexOf('/'));
  return {
    digest: async (reference) => {
      const { code, stdout, stderr } = await run(crane, ['digest', reference]);
      if (code === 0) return stdout.trim();
      if (/MANIFEST_UNKNOWN|NAME_UNKNOWN|404 Not Found/.test(stderr)) return undefined;
      throw new Error(`crane digest ${reference}: ${stderr}`);
    },
    manifest: async (reference) => Buffer.from(await runOk(crane, ['manifest', reference])),
    validate: async (reference) => {
      await runOk(crane, ['validate', '--remote', reference]);
    },
    regctl,
    tags: async (repository) =>
      (await regctl(registryOf(repository), ['tag', 'ls', repository])).split('\n').filter((tag) => tag !== ''),
    referrers: async (reference) => {
      const answer = await regctl(registryOf(reference), ['artifact', 'list', reference, '--format', '{{json .}}']);
      return (
        (JSON.parse(answer) as { descriptors: { digest: string; artifactType?: string }[] | null }).descriptors ?? []
      );
    },
  };
}

interface ManifestDocument {
  readonly manifests?: readonly { readonly digest: string; readonly mediaType: string }[];
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string; readonly urls?: readonly string[] }[];
}

/**
 * Follows a tag or digest through both repositories: the digest is the same, and so are the bytes of every manifest below it; the
 * target has every blob.
 */
export async function assertIdentical(
  clients: ForeignClients,
  source: string,
  target: string,
  identifier: string,
  options: { readonly withoutBlobs?: boolean } = {},
): Promise<void> {
  const at = (repository: string, tagOrDigest: string): string =>
    `${repository}${tagOrDigest.includes(':') ? '@' : ':'}${tagOrDigest}`;
  const digest = await clients.digest(at(source, identifier));
  assert.ok(digest !== undefined, `${at(source, identifier)} is not at the source`);
  assert.equal(await clients.digest(at(target, identifier)), digest, at(target, identifier));
  assert.equal(await clients.digest(at(target, digest)), digest, at(target, digest));
  const bytes = await clients.manifest(at(target, identifier));
  assert.deepEqual(bytes, await clients.manifest(at(source, identifier)), at(target, identifier));
  if (digest.startsWith('sha256:')) assert.equal(digestOf(bytes), digest);
  const { manifests = [], config, layers = [] } = JSON.parse(bytes.toString()) as ManifestDocument;
  for (const child of manifests) await assertIdentical(clients, source, target, child.digest, options);
  if (options.withoutBlobs === true) return;
  for (const blob of [...(config === undefined ? [] : [config]), ...layers]) {
    await clients.regctl(target.slice(0, target.indexOf('/')), ['blob', 'head', target, blob.digest]);
  }
}
