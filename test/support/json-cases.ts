import type { JsonSite } from './json-site.ts';
import { TEST_CREDENTIALS } from './registries.ts';

/** Where nobody listens. */
const NOBODY = '127.0.0.1:9';

/** What `listWrapCases` writes. */
const READ_WRAPS = ['v2', 'both', 'delta', 'light', 'arm', 'app', 'kept'] as const;

/** One run of a command. Cases run in their order: later ones use what earlier ones have written. */
export interface JsonCase {
  /** As in the table of commands. */
  readonly command: string;
  readonly args: readonly string[];
  /** Exit code, 0 unless told. */
  readonly code?: number;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Every command in its variants, and each exit code of a failure. */
export function listJsonCases(site: JsonSite): JsonCase[] {
  return [
    { command: 'version', args: [] },
    { command: 'completion', args: ['bash'] },
    ...listCredentialCases(site),
    ...listChartCases(site),
    ...listLayoutCases(),
    ...listBundleCases(site),
    ...listManifestCases(site),
    ...listWrapCases(site),
    ...listReadCases(),
    ...listUnwrapCases(site),
    ...listRegistryCases(site),
    ...listFailures(site),
  ];
}

function listCredentialCases({ closed, source, sandbox }: JsonSite): JsonCase[] {
  const { username, password } = TEST_CREDENTIALS;
  const login = { command: 'auth:login', stdin: password } as const;
  const flags = ['--username', username, '--password-stdin'];
  const helped = { REGISTRY_AUTH_FILE: `${sandbox.home}/helper.json` };
  const filed = { REGISTRY_AUTH_FILE: `${sandbox.home}/file.json` };
  return [
    { command: 'auth:check', args: [source.host + '/team/api:1.0'] },
    { ...login, args: [closed.host, ...flags] },
    { command: 'auth:check', args: [`${closed.host}/team/api`, '--push'] },
    { ...login, args: [`${closed.host}/team`, ...flags], env: helped },
    { command: 'auth:check', args: [`${closed.host}/team/api`, '--push'], env: helped },
    { command: 'auth:check', args: [`${closed.host}/team/api`, '--push'], env: filed },
    { command: 'auth:logout', args: [`${closed.host}/team`], env: helped },
    { command: 'auth:logout', args: [closed.host] },
    { ...login, args: [closed.host, ...flags], stdin: 'wrong', code: 4 },
  ];
}

function listChartCases({ source, target }: JsonSite): JsonCase[] {
  const off = { HELM_BIN: 'helm-that-is-not-there' };
  return [
    { command: 'images:find', args: ['found', '--all-variants'] },
    { command: 'images:find', args: ['shop-1'], env: off },
    { command: 'images:lock', args: ['shop-1'] },
    { command: 'images:find', args: ['shop-1'] },
    { command: 'images:lock', args: ['shop-2'], env: off },
    { command: 'images:lock', args: ['shop-1', '--output-file', '/dev/stdout'] },
    { command: 'images:lock', args: ['found', '--output-file', 'found.lock'] },
    { command: 'images:lock', args: ['arm', '--platforms', 'linux/arm/v7', '--output-file', 'arm.lock'] },
    { command: 'images:verify', args: ['shop-1'] },
    { command: 'images:verify', args: ['shop-1', '--imagelock-file', 'arm.lock'], code: 3 },
    { command: 'charts:annotate', args: ['found'] },
    { command: 'charts:annotate', args: ['found'] },
    { command: 'charts:carvelize', args: ['shop-1'] },
    { command: 'charts:relocate', args: ['found', `${target.host}/m`, '--check', '--no-patch-templates'] },
    { command: 'charts:relocate', args: ['found', `${target.host}/m`, '--check'], env: off },
    { command: 'charts:relocate', args: ['found', `${source.host}/elsewhere`] },
  ];
}

function listLayoutCases(): JsonCase[] {
  return [
    { command: 'images:pull', args: ['shop-1', '--output-file', 'pulled.tgz'] },
    { command: 'images:pull', args: ['shop-1'] },
    { command: 'images:push', args: ['shop-1'] },
  ];
}

function listBundleCases({ target }: JsonSite): JsonCase[] {
  const [inner, outer] = ['inner', 'outer'].map((name) => `${target.host}/made/${name}:1`) as [string, string];
  const push = (folder: string, ...args: readonly string[]): JsonCase => ({
    command: 'bundle:push',
    args: ['-f', folder, ...args],
  });
  const copy = (...args: readonly string[]): JsonCase => ({ command: 'bundle:copy', args });
  const copied = `${target.host}/copied/outer`;
  return [
    push('inner', '-b', inner, '--lock-output', 'inner.lock.yml'),
    push('inner', '-b', inner),
    push('outer', '-b', outer),
    { ...push('outer', '-i', outer), code: 2 },
    copy('-b', outer, '--to-tar', 'outer.tar'),
    copy('--tar', 'outer.tar', '--to-repo', copied, '--lock-output', 'outer.lock.yml'),
    { command: 'bundle:pull', args: ['--lock', 'outer.lock.yml', '-r', '-o', 'pulled'] },
    { command: 'bundle:describe', args: ['-b', `${copied}:1`] },
    { command: 'bundle:tag:list', args: ['-i', copied, '--digests'] },
    { command: 'bundle:tag:resolve', args: ['-i', `${copied}:1`] },
  ];
}

function listManifestCases({ source }: JsonSite): JsonCase[] {
  const likely = `{kind: Pod, metadata: {name: p}, spec: {containers: [{args: ["--image=${source.host}/arm:1"]}]}}`;
  const stdin = `image: ${source.host}/app:1\n---\n${likely}\n`;
  return [
    { command: 'manifests:lock', args: ['-f', '-', '--lock-output', 'kbld.lock.yml'], stdin },
    { command: 'manifests:lock', args: ['-f', '-', '--include-likely'], stdin },
    { command: 'manifests:resolve', args: ['-f', '-', '-f', 'kbld.lock.yml'], stdin },
    { command: 'manifests:resolve', args: ['-f', '-', '--imgpkg-lock-output', 'images.lock.yml'], stdin },
    { command: 'manifests:resolve', args: ['-f', '-', '--unresolved-inspect'], stdin },
    { command: 'manifests:resolve', args: ['-f', '-'], stdin: 'a: [', code: 1 },
  ];
}

function listWrapCases({ source, env }: JsonSite): JsonCase[] {
  const wrap = (name: string, ...args: readonly string[]): JsonCase => ({
    command: 'wrap',
    args: [...args, '--output-file', name],
  });
  return [
    wrap('v2.wrap.tgz', 'shop-2'),
    { ...wrap('no-helm.wrap.tgz', 'shop-1'), env: { ...env, HELM_BIN: 'helm-that-is-not-there' } },
    wrap('delta.wrap.tgz', 'shop-2', '--base', 'v1.wrap.tgz'),
    wrap('light.wrap.tgz', 'shop-1', '--skip-pull-images'),
    wrap('arm.wrap.tgz', 'arm', '--platforms', 'linux/arm/v7'),
    wrap('signed.wrap.tgz', 'arm', '--sign', 'key.pem'),
    wrap('both.wrap.tgz', 'shop-2', 'arm', '--split', '1MB'),
    wrap('kept.wrap.tgz', `oci://${source.host}/shop`, '--version', '1.2.3'),
    { command: 'images:wrap', args: [`${source.host}/app:1`, '--output-file', 'app.wrap.tgz', '--sign', 'key.pem'] },
    {
      command: 'images:wrap',
      args: [`${source.host}/app:1`, '--output-file', 'parts.tgz', '--base', 'v1.wrap.tgz', '--split', '1MB'],
    },
  ];
}

function listReadCases(): JsonCase[] {
  return [
    ...READ_WRAPS.map((name) => ({
      command: 'info',
      args: [`${name}.wrap.tgz`, '--detailed'],
    })),
    { command: 'info', args: ['shop-1'] },
    { command: 'info', args: ['-'], code: 3, stdin: 'no wrap' },
    ...READ_WRAPS.map((name) => ({
      command: 'verify',
      args: [`${name}.wrap.tgz`],
    })),
    { command: 'verify', args: ['signed.wrap.tgz', '--key', 'key.pub'] },
    { command: 'verify', args: ['signed.wrap.tgz', '--key', 'other.pub'], code: 3 },
    { command: 'diff', args: ['v1.wrap.tgz', 'v2.wrap.tgz'] },
    { command: 'diff', args: ['v2.wrap.tgz', 'app.wrap.tgz'] },
  ];
}

function listUnwrapCases({ target, source }: JsonSite): JsonCase[] {
  const place = `${target.host}/m`;
  const unwrap = (name: string, ...args: readonly string[]): JsonCase => ({
    command: 'unwrap',
    args: [`${name}.wrap.tgz`, place, ...args],
  });
  const image = { command: 'images:unwrap', args: ['app.wrap.tgz', place] };
  return [
    unwrap('delta', '--plan'),
    { ...unwrap('delta', '--yes'), code: 3 },
    { ...unwrap('v2'), stdin: 'n\n' },
    unwrap('v2', '--yes', '--pull-prefix', `${source.host}/pull`),
    unwrap('v2', '--yes', '--chart-mode', 'overlay'),
    unwrap('v2', '--plan', '--chart-mode', 'keep'),
    unwrap('both', '--yes', '--no-patch-templates'),
    unwrap('arm', '--yes', '--index', 'filtered'),
    unwrap('arm', '--yes', '--with-plugin=plugin.tgz'),
    unwrap('signed', '--plan'),
    { command: 'wrap', args: [`oci://${place}/arm`, '--version', '0.1.0', '--output-file', 'again.wrap.tgz'] },
    { command: 'info', args: ['again.wrap.tgz'] },
    { ...image, stdin: 'n\n' },
    { ...image, args: [...image.args, '--yes'] },
  ];
}

function listRegistryCases({ target }: JsonSite): JsonCase[] {
  return [
    { command: 'push-wrap', args: ['signed.wrap.tgz', `${target.host}/wraps`] },
    { command: 'push-wrap', args: ['signed.wrap.tgz', `${target.host}/wraps`] },
    { command: 'info', args: [`oci://${target.host}/wraps/arm`, '--version', '0.1.0'] },
    { command: 'plugin:push', args: ['plugin.tgz', `${target.host}/tools`] },
    { command: 'bundle:from-wrap', args: ['signed.wrap.tgz', '--to-tar', 'signed.tar'] },
    { command: 'bundle:from-wrap', args: ['signed.wrap.tgz', '--to-repo', `${target.host}/bundled`] },
    { command: 'inventory', args: [`oci://${target.host}`] },
    { command: 'inventory', args: [`oci://${target.host}`, '--output-file', 'inventory.json'] },
  ];
}

function listFailures({ closed, target }: JsonSite): JsonCase[] {
  return [
    { command: 'wrap', args: ['missing'], code: 1 },
    { command: 'wrap', args: ['shop-1', '--base', 'v1.wrap.tgz', '--no-such-flag'], code: 2 },
    { command: 'wrap', args: ['shop-1', '--output-file', '-'], code: 2 },
    { command: 'verify', args: ['text'], code: 3 },
    { command: 'verify', args: ['damaged.wrap.tgz'], code: 3 },
    { command: 'verify', args: ['cut.wrap.tgz'], code: 3 },
    { command: 'images:wrap', args: [`${closed.host}/team/api:1.0`], code: 4 },
    { command: 'images:wrap', args: [`${NOBODY}/team/api:1.0`, '--retries', '0'], code: 5 },
    { command: 'unwrap', args: ['v2.wrap.tgz', `${NOBODY}/m`, '--yes', '--retries', '0'], code: 5 },
    { command: 'inventory', args: [`oci://${target.host}/nothing`], code: 5 },
  ];
}
