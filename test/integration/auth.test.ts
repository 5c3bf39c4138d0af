import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { pushShopImages, writeShopChart } from '../support/charts.ts';
import { writeHelper, writeWorkingHelper } from '../support/credential-helpers.ts';
import { pushImage, basicAuthorization } from '../support/images.ts';
import {
  startDistribution2,
  startDistribution3,
  startEmbeddedRegistry,
  TEST_CREDENTIALS,
} from '../support/registries.ts';
import type { RunCliResult } from '../support/run-cli.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { startTokenServer } from '../support/token-server.ts';
import { requireTool } from '../support/tools.ts';

const { username, password } = TEST_CREDENTIALS;
const encode = (user: string, secret: string): { auth: string } => ({
  auth: Buffer.from(`${user}:${secret}`).toString('base64'),
});

interface Surroundings {
  readonly sandbox: Sandbox;
  readonly host: string;
  /** Docker's file of the sandbox. */
  readonly file: string;
  readonly login: (target: string, options?: LoginOptions) => Promise<RunCliResult>;
  readonly readConfig: () => Promise<Record<string, unknown>>;
}

interface LoginOptions {
  readonly user?: string;
  readonly secret?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** A registry that asks for a password, and a home without credentials. Whatever a login prints, the password is not in it. */
async function surround(t: TestContext): Promise<Surroundings> {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry({ auth: true });
  t.after(async () => registry.close());
  const file = join(sandbox.home, '.docker/config.json');
  const login: Surroundings['login'] = async (
    target,
    { user = username, secret = password, env = {}, args = [] } = {},
  ) => {
    const result = await sandbox.run(
      ['auth', 'login', target, '--username', user, '--password-stdin', '--log-level', 'debug', ...args],
      { stdin: `${secret}\n`, env },
    );
    const output = result.stdout + result.stderr;
    for (const text of [secret, encode(user, secret).auth]) assert.ok(!output.includes(text), output);
    return result;
  };
  const readConfig = async (): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  return { sandbox, host: registry.host, file, login, readConfig };
}

const errorCode = ({ stderr }: RunCliResult): string | undefined => /^Code: (DT_[A-Z_]+)$/m.exec(stderr)?.[1];
const parse = ({ stdout }: RunCliResult): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

for (const [helm, tool, start] of [
  ['helm3', 'registry2', startDistribution2],
  ['helm4', 'registry3', startDistribution3],
] as const) {
  test(`what "auth login" keeps for ${tool} is enough for ${helm}, until "auth logout"`, async (t) => {
    const helmPath = requireTool(t, helm);
    if (helmPath === undefined || requireTool(t, tool) === undefined) return;
    const sandbox = await createSandbox(t);
    const registry = await start({ auth: true });
    t.after(async () => registry.close());
    const { host } = registry;
    await sandbox.runOk(['auth', 'login', host, '-u', username, '--password-stdin'], { stdin: password });
    await sandbox.runOk(['create', 'app'], { command: helmPath });
    await sandbox.runOk(['package', 'app'], { command: helmPath });
    const push = ['push', 'app-0.1.0.tgz', `oci://${host}/charts`, '--plain-http'];
    await sandbox.runOk(push, { command: helmPath });
    await sandbox.runOk(['auth', 'check', `oci://${host}/charts/app:0.1.0`]);
    await sandbox.runOk(['auth', 'logout', host]);
    assert.notEqual((await sandbox.run(push, { command: helmPath })).code, 0);
    assert.equal((await sandbox.run(['auth', 'check', `oci://${host}/charts/app:0.1.0`])).code, 4);
  });
}

test('a registry with a token server: the login is tried there, and the check gets tokens of its own', async (t) => {
  if (requireTool(t, 'registry3') === undefined) return;
  const tokens = await startTokenServer();
  const registry = await startDistribution3({ tokens: tokens.authority });
  t.after(async () => Promise.all([tokens.close(), registry.close()]));
  const { login, sandbox, file } = await surround(t);
  const refused = await login(registry.host, { secret: 'wrong-secret' });
  assert.deepEqual([refused.code, existsSync(file)], [4, false], refused.stderr);
  const accepted = await login(registry.host, { args: ['--json'] });
  assert.equal(accepted.code, 0, accepted.stderr);
  assert.equal(parse(accepted)['checked'], true);
  const { user, scopes } = tokens.asked.at(-1) ?? {};
  assert.deepEqual([user, scopes], ['user', []]);
  await sandbox.runOk(['auth', 'check', `${registry.host}/team/app`, '--push']);
  assert.ok(tokens.asked.some(({ scopes }) => scopes.includes('repository:team/app:pull,push')));
});

describe('auth login', () => {
  test('writes nothing when the password is refused, the registry cannot be reached or something is missing', async (t) => {
    const { sandbox, host, file, login } = await surround(t);
    const refused = await login(host, { secret: 'wrong-secret' });
    assert.deepEqual([refused.code, errorCode(refused)], [4, 'DT_AUTH_REQUIRED']);
    const unreachable = await login('127.0.0.1:9', { args: ['--retries', '0'] });
    assert.deepEqual([unreachable.code, errorCode(unreachable)], [5, 'DT_REGISTRY_UNREACHABLE']);
    for (const args of [
      [host],
      [host, '-u', username],
      [host, '-p', password],
      [host, '-u', username, '-p', password, '--password-stdin'],
      ['bad registry', '-u', username, '-p', password],
      [],
    ]) {
      assert.equal((await sandbox.run(['auth', 'login', ...args])).code, 2, args.join(' '));
    }
    assert.equal(existsSync(file), false);
    assert.deepEqual(await readdir(sandbox.home), []);
  });

  test('keeps all else that is in the file, and the file from others', async (t) => {
    const { host, file, login, readConfig } = await surround(t);
    const document = {
      auths: { 'old.example': encode('old', 'old'), [`https://${host}/v1/`]: { identitytoken: 'old' } },
      HttpHeaders: { 'User-Agent': 'x' },
      credHelpers: { 'other.example': 'ecr-login' },
      plugins: { a: { b: [1, null] } },
    };
    await mkdir(join(file, '..'));
    await writeFile(file, JSON.stringify(document), { mode: 0o644 });
    assert.equal((await login(host)).code, 0);
    assert.deepEqual(await readConfig(), {
      ...document,
      auths: { 'old.example': encode('old', 'old'), [host]: encode(username, password) },
    });
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(file, '..')), ['config.json']);
  });

  test('leaves a file alone that it cannot read, without quoting it', async (t) => {
    const { host, file, login } = await surround(t);
    await mkdir(join(file, '..'));
    const texts = ['{"auths":{"x":{"auth":"UExBTlRFRA"', '[]', '{"auths":["UExBTlRFRA"]}', '{"auths":"UExBTlRFRA"}'];
    for (const text of texts) {
      await writeFile(file, text);
      const result = await login(host);
      assert.deepEqual([result.code, errorCode(result)], [1, 'DT_CONFIG_INVALID']);
      assert.ok(!result.stderr.includes('UExBTlRFRA'));
      assert.equal(await readFile(file, 'utf8'), text);
    }
  });

  test('writes where the variables say, through a link', async (t) => {
    const { sandbox, host, file, login } = await surround(t);
    const [docker, podman] = [join(sandbox.home, 'docker'), join(sandbox.home, 'auth.json')];
    assert.equal((await login(host, { env: { DOCKER_CONFIG: docker } })).code, 0);
    assert.deepEqual(await readdir(docker), ['config.json']);
    assert.equal((await stat(docker)).mode & 0o777, 0o700);
    await writeFile(join(sandbox.home, 'dotfile'), '{}');
    await symlink('dotfile', podman);
    assert.equal((await login(host, { env: { DOCKER_CONFIG: docker, REGISTRY_AUTH_FILE: podman } })).code, 0);
    assert.ok((await lstat(podman)).isSymbolicLink());
    assert.deepEqual(JSON.parse(await readFile(join(sandbox.home, 'dotfile'), 'utf8')), {
      auths: { [host]: encode(username, password) },
    });
    assert.equal(existsSync(file), false);
  });

  test('keeps credentials for two paths of one registry apart', async (t) => {
    const { sandbox, login, readConfig } = await surround(t);
    // Each user may only do what is below its own path.
    const registry = await startScriptedServer(({ url, headers }, response) => {
      const user = ['anna', 'bert'].find(
        (name) => headers.authorization === `Basic ${encode(name, `${name}-secret`).auth}`,
      );
      const isAllowed = user !== undefined && (url === '/v2/' || url.startsWith(`/v2/${user}/`));
      response.writeHead(isAllowed ? 200 : 401, isAllowed ? {} : { 'www-authenticate': 'Basic realm="x"' }).end('{}');
    });
    t.after(async () => registry.close());
    for (const user of ['anna', 'bert']) {
      const { code, stderr } = await login(`${registry.host}/${user}`, { user, secret: `${user}-secret` });
      assert.equal(code, 0, stderr);
      assert.ok(stderr.includes(`${registry.host}/${user}`), 'the path is named');
    }
    assert.deepEqual(await readConfig(), {
      auths: {
        [`${registry.host}/anna`]: encode('anna', 'anna-secret'),
        [`${registry.host}/bert`]: encode('bert', 'bert-secret'),
      },
    });
    for (const [path, code] of [
      ['anna/app', 0],
      ['bert/app', 0],
      ['carl/app', 4],
    ] as const) {
      assert.equal((await sandbox.run(['auth', 'check', `${registry.host}/${path}`])).code, code, path);
    }
    await sandbox.runOk(['auth', 'logout', `${registry.host}/anna`]);
    assert.deepEqual(Object.keys((await readConfig())['auths'] as object), [`${registry.host}/bert`]);
  });

  test('does not lose one of many logins side by side', async (t) => {
    const { host, login, readConfig } = await surround(t);
    const targets = ['', '/a', '/b', '/c', '/d'].map((path) => host + path);
    const results = await Promise.all(targets.map(async (target) => login(target)));
    assert.deepEqual(
      results.map(({ code }) => code),
      targets.map(() => 0),
    );
    assert.deepEqual(Object.keys((await readConfig())['auths'] as object).sort(), targets);
  });

  test('says that a registry has not checked anything', async (t) => {
    const { login } = await surround(t);
    const open = await startEmbeddedRegistry();
    t.after(async () => open.close());
    const document = parse(await login(open.host, { args: ['--json'] }));
    assert.equal(document['checked'], false);
    assert.ok((document['warnings'] as string[]).some((warning) => warning.includes('did not check')));
  });

  test('warns when another file comes first, and so does logout', async (t) => {
    const { sandbox, host, login } = await surround(t);
    const helm = join(sandbox.home, 'helm.json');
    await writeFile(helm, JSON.stringify({ auths: { [host]: encode('old', 'old') } }));
    const env = { HELM_REGISTRY_CONFIG: helm };
    const names = (document: Record<string, unknown>): boolean =>
      (document['warnings'] as string[]).some((warning) => warning.includes(helm));
    assert.ok(names(parse(await login(host, { env, args: ['--json'] }))));
    assert.ok(names(parse(await sandbox.run(['auth', 'logout', host, '--json'], { env }))));
  });
});

describe('with a credential helper', () => {
  test('the password goes into it and nowhere else, and comes out of it', async (t) => {
    const { sandbox, host, file, login, readConfig } = await surround(t);
    const [bin, store] = [join(sandbox.home, 'bin'), join(sandbox.home, 'store')];
    await writeWorkingHelper(bin, 'test', store);
    await mkdir(join(file, '..'));
    await writeFile(file, JSON.stringify({ credsStore: 'test', auths: { [host]: encode('old', 'old') } }));
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const accepted = await login(host, { env, args: ['--json'] });
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.equal(parse(accepted)['helper'], 'test');
    assert.deepEqual(await readConfig(), { credsStore: 'test', auths: { [host]: {} } });
    assert.equal((await login(`${host}/team`, { env })).code, 0);
    const check = parse(await sandbox.run(['auth', 'check', `${host}/team/app`, '--push', '--json'], { env }));
    assert.deepEqual(check['credentials'], { kind: 'file', file, entry: `${host}/team`, helper: 'test' });
    await sandbox.runOk(['auth', 'logout', host], { env });
    await sandbox.runOk(['auth', 'logout', `${host}/team`], { env });
    assert.deepEqual(await readConfig(), { credsStore: 'test', auths: {} });
    assert.deepEqual(await readdir(store), ['log']);
    assert.equal((await sandbox.run(['auth', 'check', `${host}/team/app`, '--push'], { env })).code, 4);
  });

  test('one that fails or is missing keeps the password out of the file', async (t) => {
    const { sandbox, host, file, login } = await surround(t);
    const bin = join(sandbox.home, 'bin');
    await writeHelper(bin, 'bad', 'cat; cat >&2; exit 1');
    await mkdir(join(file, '..'));
    for (const credsStore of ['bad', 'missing']) {
      await writeFile(file, JSON.stringify({ credsStore }));
      const result = await login(host, { env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } });
      assert.deepEqual([result.code, errorCode(result)], [4, 'DT_CREDENTIAL_HELPER_FAILED'], credsStore);
      assert.equal(await readFile(file, 'utf8'), JSON.stringify({ credsStore }));
    }
  });

  test('one that is broken does not stand in the way of a public registry', async (t) => {
    const { sandbox, file } = await surround(t);
    const open = await startEmbeddedRegistry();
    t.after(async () => open.close());
    await pushImage(open.host, 'a/b:1');
    await writeHelper(join(sandbox.home, 'bin'), 'bad', 'exit 1');
    await mkdir(join(file, '..'));
    await writeFile(file, JSON.stringify({ credsStore: 'bad' }));
    await mkdir(join(sandbox.work, 'app'));
    await writeFile(
      join(sandbox.work, 'app/Chart.yaml'),
      `apiVersion: v2\nname: app\nversion: 1.0.0\nannotations:\n  images: |\n    - {name: b, image: "${open.host}/a/b:1"}\n`,
    );
    const env = { PATH: `${join(sandbox.home, 'bin')}:${process.env['PATH'] ?? ''}` };
    await sandbox.runOk(['wrap', 'app'], { env });
    const missing = await sandbox.run(['wrap', `oci://${open.host}/a/missing`, '--version', '1.0.0'], { env });
    assert.deepEqual([missing.code, errorCode(missing)], [5, 'DT_NOT_FOUND'], missing.stderr);
  });
});

describe('auth check', () => {
  test('tells what is used and whether it works, and a push leaves nothing behind', async (t) => {
    const { sandbox, host, file, login } = await surround(t);
    const image = `${host}/team/app:1.0`;
    await pushImage(host, 'team/app:1.0', { authorization: basicAuthorization(TEST_CREDENTIALS) });
    const anonymous = await sandbox.run(['auth', 'check', image]);
    assert.deepEqual([anonymous.code, errorCode(anonymous)], [4, 'DT_AUTH_REQUIRED']);
    await login(host);
    const check = async (...args: string[]): Promise<Record<string, unknown>> =>
      parse(await sandbox.run(['auth', 'check', ...args, '--json']));
    const credentials = { kind: 'file', file, entry: host };
    assert.deepEqual(await check(image), { reference: image, action: 'pull', credentials, checked: true });
    assert.deepEqual(await check(`oci://${host}/team/app`), {
      reference: `${host}/team/app`,
      action: 'pull',
      credentials,
      checked: true,
    });
    assert.equal((await check(`${host}/new/app`, '--push'))['action'], 'push');
    const missing = await sandbox.run(['auth', 'check', `${host}/team/app:9`]);
    assert.deepEqual([missing.code, errorCode(missing)], [5, 'DT_NOT_FOUND']);
    assert.match(missing.stderr, /access works/);
    const nobody = await sandbox.run(['auth', 'check', '127.0.0.1:9/a/b', '--push', '--retries', '0']);
    assert.deepEqual([nobody.code, errorCode(nobody)], [5, 'DT_REGISTRY_UNREACHABLE']);

    await writeFile(file, JSON.stringify({ auths: { [host]: encode(username, 'planted-secret') } }));
    const refused = await sandbox.run(['auth', 'check', image, '--log-level', 'debug']);
    assert.equal(refused.code, 4);
    assert.ok(refused.stderr.includes(file), 'the file is named');
    for (const secret of ['planted-secret', encode(username, 'planted-secret').auth]) {
      assert.ok(!refused.stderr.includes(secret));
    }
  });

  test('of every failure tells which credentials there are', async (t) => {
    const sandbox = await createSandbox(t);
    const statuses: Readonly<Record<string, readonly [number, number, string]>> = {
      unauthorized: [401, 4, 'DT_AUTH_REQUIRED'],
      forbidden: [403, 4, 'DT_AUTH_DENIED'],
      missing: [404, 5, 'DT_NOT_FOUND'],
      broken: [500, 5, 'DT_REGISTRY_ERROR'],
    };
    const registry = await startScriptedServer(({ url }, response) => {
      const [status = 404] = statuses[url.split('/')[2] ?? ''] ?? [];
      response.writeHead(status).end('{}');
    });
    t.after(async () => registry.close());
    const file = join(sandbox.home, 'auth.json');
    const hosts = [registry.host, '127.0.0.1:9'];
    await writeFile(
      file,
      JSON.stringify({ auths: Object.fromEntries(hosts.map((host) => [host, encode('u', 'planted')])) }),
    );
    const env = { REGISTRY_AUTH_FILE: file };
    const cases = Object.entries(statuses).map(([path, [, code, name]]) => [registry.host, path, code, name] as const);
    for (const [host, path, code, name] of [...cases, ['127.0.0.1:9', 'a', 5, 'DT_REGISTRY_UNREACHABLE'] as const]) {
      const args = ['auth', 'check', `${host}/${path}/app:1`, '--json', '--retries', '0'];
      const result = await sandbox.run(args, { env });
      assert.deepEqual([result.code, errorCode(result)], [code, name], path);
      const { detail } = parse(result)['error'] as { readonly detail: string };
      assert.ok(detail.includes(`entry "${host}" of ${file}`), detail);
      assert.equal(/access works/.test(detail), name === 'DT_NOT_FOUND', detail);
    }
  });

  test('of a registry alone is a mistake, and asks nobody', async (t) => {
    const { sandbox, host } = await surround(t);
    for (const name of [host, `oci://${host}/`, 'registry.example.com', 'localhost', 'LOCALHOST:5000', '[::1]:5000']) {
      const result = await sandbox.run(['auth', 'check', name]);
      assert.deepEqual([result.code, errorCode(result)], [2, 'DT_USAGE'], name);
    }
  });

  test('finds what was kept for the host in another case', async (t) => {
    const { sandbox, host, login } = await surround(t);
    const port = host.replace(/^.*:/, '');
    assert.equal((await login(`LOCALHOST:${port}`)).code, 0);
    for (const name of ['localhost', 'LocalHost'])
      await sandbox.runOk(['auth', 'check', `${name}:${port}/a/b`, '--push']);
  });

  test('of a registry that does not ask says so', async (t) => {
    const { sandbox } = await surround(t);
    const open = await startEmbeddedRegistry();
    t.after(async () => open.close());
    const document = parse(await sandbox.run(['auth', 'check', `${open.host}/a/b`, '--push', '--json']));
    assert.deepEqual([document['credentials'], document['checked']], [{ kind: 'anonymous' }, false]);
    const writes = open.requests.filter((line) => !/^(?:GET|HEAD) /.test(line));
    assert.deepEqual(
      writes.map((line) => line.split(' ')[0]),
      ['POST', 'DELETE'],
    );
  });
});

describe('credentials of the command line', () => {
  test('are enough to unwrap, and to wrap a chart from a registry', async (t) => {
    const { sandbox, host, file } = await surround(t);
    const source = await startEmbeddedRegistry();
    t.after(async () => source.close());
    await pushShopImages(source.host);
    await writeShopChart(join(sandbox.work, 'shop'), source.host);
    await sandbox.runOk(['wrap', 'shop', '--output-file', 'w.tgz']);
    const flags = ['--username', username, '--password-stdin'];
    const unwrap = ['unwrap', 'w.tgz', `${host}/m`, ...flags];
    assert.equal((await sandbox.run(unwrap, { stdin: password })).code, 2);
    await sandbox.runOk([...unwrap, '--yes'], { stdin: password });
    const wrapped = await sandbox.run(['wrap', `oci://${host}/m/shop`, '--output-file', 'x.tgz', ...flags], {
      stdin: password,
    });
    assert.equal(wrapped.code, 0, wrapped.stderr);
    assert.equal((await sandbox.run(['wrap', 'shop', ...flags], { stdin: password })).code, 2);
    assert.equal((await sandbox.run(['images', 'lock', 'shop', ...flags], { stdin: password })).code, 2);
    assert.equal(existsSync(file), false);
  });
});
