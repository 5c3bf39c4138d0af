import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { DtError } from '../../../../src/domain/errors.ts';
import {
  createCredentialResolver,
  type CredentialResolver,
  type GivenCredential,
} from '../../../../src/transport/auth/credentials.ts';
import { MAX_CREDENTIAL_FILE_BYTES } from '../../../../src/transport/read-small-file.ts';

let home = '';
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'dt-credentials-'));
});
after(async () => rm(home, { recursive: true, force: true }));

const encode = (user: string, password = 'p'): string => Buffer.from(`${user}:${password}`).toString('base64');

async function writeAuth(path: string, auths: Record<string, unknown>): Promise<string> {
  return writeConfig(path, { auths });
}

async function writeConfig(path: string, document: object): Promise<string> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(document));
  return file;
}

async function findUser(
  environment: Record<string, string>,
  registry: string,
  repository = 'a/b/c',
): Promise<string | undefined> {
  const found = await resolver(environment)(registry, repository);
  return found?.credential.kind === 'basic' ? found.credential.username : found?.credential.token;
}

function resolver(environment: Record<string, string>, given?: GivenCredential): CredentialResolver {
  return createCredentialResolver({ environment: { HOME: join(home, 'nobody'), ...environment }, given });
}

test('asks the files in their order: the first that knows the registry counts', async () => {
  const registryAuth = await writeAuth('1.json', { 'one.example': { auth: encode('registry-auth-file') } });
  const helm = await writeAuth('2.json', {
    'one.example': { auth: encode('helm') },
    'two.example': { auth: encode('helm') },
  });
  await writeAuth('docker/config.json', {
    'one.example': { auth: encode('docker') },
    'two.example': { auth: encode('docker') },
    'three.example': { auth: encode('docker') },
  });
  const environment = {
    REGISTRY_AUTH_FILE: registryAuth,
    HELM_REGISTRY_CONFIG: helm,
    DOCKER_CONFIG: join(home, 'docker'),
  };
  assert.equal(await findUser(environment, 'one.example'), 'registry-auth-file');
  assert.equal(await findUser(environment, 'two.example'), 'helm');
  assert.equal(await findUser(environment, 'three.example'), 'docker');
  assert.equal(await findUser(environment, 'four.example'), undefined);
});

test('looks in the default places', async () => {
  await writeAuth('h1/.config/helm/registry/config.json', { 'one.example': { auth: encode('helm') } });
  await writeAuth('h1/.docker/config.json', {
    'one.example': { auth: encode('docker') },
    'two.example': { auth: encode('docker') },
  });
  await writeAuth('xdg/helm/registry/config.json', { 'one.example': { auth: encode('xdg') } });
  await writeAuth('helmhome/registry/config.json', { 'one.example': { auth: encode('helm-home') } });
  const environment = { HOME: join(home, 'h1') };
  assert.equal(await findUser(environment, 'one.example'), 'helm');
  assert.equal(await findUser(environment, 'two.example'), 'docker');
  assert.equal(await findUser({ ...environment, XDG_CONFIG_HOME: join(home, 'xdg') }, 'one.example'), 'xdg');
  assert.equal(
    await findUser(
      { ...environment, XDG_CONFIG_HOME: join(home, 'xdg'), HELM_CONFIG_HOME: join(home, 'helmhome') },
      'one.example',
    ),
    'helm-home',
  );
});

test('an empty variable counts as absent: no file of the working directory is read', async () => {
  const before = process.cwd();
  await writeAuth('cwd/config.json', { 'one.example': { auth: encode('working directory') } });
  await writeAuth('cwd/helm/registry/config.json', { 'one.example': { auth: encode('working directory') } });
  process.chdir(join(home, 'cwd'));
  try {
    const environment = {
      DOCKER_CONFIG: '',
      XDG_CONFIG_HOME: '',
      HELM_CONFIG_HOME: '',
      HELM_REGISTRY_CONFIG: '',
      REGISTRY_AUTH_FILE: '',
    };
    assert.equal(await findUser(environment, 'one.example'), undefined);
  } finally {
    process.chdir(before);
  }
});

test('the longest matching path wins, at the borders of its parts', async () => {
  const file = await writeAuth('paths.json', {
    'one.example': { auth: encode('host') },
    'one.example/a': { auth: encode('a') },
    'one.example/a/b': { auth: encode('a/b') },
    'one.example/a/bb': { auth: encode('a/bb') },
    'one.example:5000': { auth: encode('port') },
  });
  const environment = { REGISTRY_AUTH_FILE: file };
  assert.equal(await findUser(environment, 'one.example', 'a/b/c'), 'a/b');
  assert.equal(await findUser(environment, 'one.example', 'a/b'), 'a/b');
  assert.equal(await findUser(environment, 'one.example', 'a/bb/c'), 'a/bb');
  assert.equal(await findUser(environment, 'one.example', 'a/bbb'), 'a');
  assert.equal(await findUser(environment, 'one.example', 'b'), 'host');
  assert.equal(await findUser(environment, 'one.example:5000', 'a/b'), 'port');
  assert.equal(await findUser(environment, 'one.example:5001', 'a/b'), undefined);
  assert.equal(await findUser(environment, 'sub.one.example', 'a/b'), undefined);
  assert.equal(await findUser(environment, 'one.example.evil.com', 'a/b'), undefined);
});

test('reads the spellings of a registry, and of Docker Hub', async () => {
  for (const key of ['https://one.example', 'http://one.example/', 'https://one.example/v1/', 'one.example/v2']) {
    assert.equal(
      await findUser(
        { REGISTRY_AUTH_FILE: await writeAuth('spelling.json', { [key]: { auth: encode('me') } }) },
        'one.example',
      ),
      'me',
      key,
    );
  }
  for (const key of ['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io']) {
    const environment = { REGISTRY_AUTH_FILE: await writeAuth('hub.json', { [key]: { auth: encode('hub') } }) };
    assert.equal(await findUser(environment, 'docker.io', 'library/nginx'), 'hub', key);
    assert.equal(await findUser(environment, 'quay.io', 'library/nginx'), undefined, key);
  }
});

test('reads every form of an entry; one that cannot be read is an error where it counts, without its value', async () => {
  const file = await writeAuth('forms.json', {
    'a.example': { username: 'plain', password: '' },
    'b.example': { identitytoken: 'token', auth: encode('ignored') },
    'c.example': { auth: encode('with', 'colon:in:password') },
    'd.example': null,
    'e.example': {},
    'f.example': { auth: '', email: 'a@b.example' },
    'bad1.example': { auth: '!!!planted' },
    'bad2.example': { auth: Buffer.from(':planted').toString('base64') },
    'bad3.example': 'planted',
    'bad4.example': { username: 'planted' },
    'bad5.example': { auth: 5 },
    'bad6.example': { identitytoken: 6 },
    'bad7.example': { auth: Buffer.from('planted').toString('base64') },
    'bad8.example': ['planted'],
    'good.example': { auth: encode('path', 'wins') },
    'good.example/bad': { auth: '!!!planted' },
  });
  const resolve = resolver({ REGISTRY_AUTH_FILE: file });
  const source = async (registry: string, repository: string): Promise<unknown> =>
    (await resolve(registry, repository))?.credential;
  assert.deepEqual(await source('a.example', 'x'), { kind: 'basic', username: 'plain', password: '' });
  assert.deepEqual(await source('b.example', 'x'), { kind: 'identity-token', token: 'token' });
  assert.deepEqual(await source('c.example', 'x'), { kind: 'basic', username: 'with', password: 'colon:in:password' });
  for (const name of 'def') assert.equal(await source(`${name}.example`, 'x'), undefined, name);
  assert.deepEqual(await source('good.example', 'x'), { kind: 'basic', username: 'path', password: 'wins' });
  const bad = ['1', '2', '3', '4', '5', '6', '7', '8'].map((digit) => [`bad${digit}.example`, `bad${digit}.example`]);
  for (const [registry = '', key = ''] of [...bad, ['good.example', 'good.example/bad']]) {
    const error = await source(registry, 'bad/app').catch((thrown: unknown) => thrown);
    assert.ok(error instanceof DtError, key);
    assert.equal(error.code, 'DT_CONFIG_INVALID', key);
    assert.ok(error.message.includes(file) && error.message.includes(`"${key}"`), error.message);
    assert.ok(!inspect(error, { depth: 9 }).includes('planted'), key);
  }
});

test('a file that is no JSON is an error that names it; odd documents hold nothing', async () => {
  const file = join(home, 'broken.json');
  await writeFile(file, '{');
  await assert.rejects(findUser({ REGISTRY_AUTH_FILE: file }, 'one.example'), {
    code: 'DT_CONFIG_INVALID',
    message: /broken\.json/,
  });
  await assert.rejects(findUser({ REGISTRY_AUTH_FILE: home }, 'one.example'), { code: 'DT_CONFIG_INVALID' });
  for (const text of [
    '[]',
    '5',
    '"x"',
    '{"auths":[]}',
    '{"auths":"x"}',
    '{"credHelpers":"x"}',
    '{"credHelpers":{"one.example":5}}',
    '{"credsStore":5}',
  ]) {
    await writeFile(file, text);
    await assert.rejects(findUser({ REGISTRY_AUTH_FILE: file }, 'one.example'), { code: 'DT_CONFIG_INVALID' }, text);
  }
  for (const text of [
    '',
    '  \n',
    'null',
    '{"auths":null}',
    '{"credHelpers":{"two.example":5}}',
    '{"__proto__":{"auths":{"one.example":{"username":"u","password":"p"}}}}',
  ]) {
    await writeFile(file, text);
    assert.equal(await findUser({ REGISTRY_AUTH_FILE: file }, 'one.example'), undefined, text);
  }
});

test('a file that cannot be parsed is not quoted', async () => {
  const file = join(home, 'secret.json');
  await writeFile(file, '{"auths":{"one.example":{"auth":"U0VDUkVU"');
  const error = await findUser({ REGISTRY_AUTH_FILE: file }, 'one.example').catch((thrown: unknown) => thrown);
  assert.ok(error instanceof DtError);
  assert.ok(!inspect(error, { depth: 9 }).includes('U0VDUk'));
});

test("Podman's files come last, the one of the session first", async () => {
  await writeAuth('h2/.config/containers/auth.json', {
    'one.example': { auth: encode('persistent') },
    'two.example': { auth: encode('persistent') },
  });
  await writeAuth('run/containers/auth.json', {
    'one.example': { auth: encode('session') },
    'three.example': { auth: encode('session') },
  });
  await writeAuth('h2/.docker/config.json', { 'three.example': { auth: encode('docker') } });
  const environment = { HOME: join(home, 'h2'), XDG_RUNTIME_DIR: join(home, 'run') };
  assert.equal(await findUser(environment, 'one.example'), 'session');
  assert.equal(await findUser(environment, 'two.example'), 'persistent');
  assert.equal(await findUser(environment, 'three.example'), 'docker');
  assert.equal(await findUser({ HOME: join(home, 'h2') }, 'one.example'), 'persistent');
});

test('of several spellings of Docker Hub the one that Docker writes counts', async () => {
  const entries = [
    ['docker.io', { auth: encode('other') }],
    ['https://index.docker.io/v1/', { auth: encode('docker') }],
    ['index.docker.io', { auth: encode('other') }],
  ] as const;
  for (const auths of [entries, entries.toReversed()]) {
    const environment = { REGISTRY_AUTH_FILE: await writeAuth('hub.json', Object.fromEntries(auths)) };
    assert.equal(await findUser(environment, 'docker.io', 'library/nginx'), 'docker');
  }
  const environment = {
    REGISTRY_AUTH_FILE: await writeAuth('hub.json', { 'index.docker.io/team': { auth: encode('path') } }),
  };
  assert.equal(await findUser(environment, 'docker.io', 'team/app'), 'path');
  assert.equal(await findUser(environment, 'docker.io', 'library/nginx'), undefined);
});

test('what is given counts for its registry and for no other, whatever a file says', async () => {
  const file = await writeAuth('given.json', {
    'one.example': { auth: encode('file') },
    'one.example/a/b': { auth: encode('file') },
    'two.example': { auth: encode('file') },
  });
  const given = { registry: 'one.example', username: 'given', password: 'p' };
  const resolve = resolver({ REGISTRY_AUTH_FILE: file }, given);
  assert.deepEqual(await resolve('one.example', 'a/b'), {
    credential: { kind: 'basic', username: 'given', password: 'p' },
    origin: { kind: 'flags' },
  });
  for (const registry of ['two.example', 'one.example:5000', 'sub.one.example', 'one.example.evil']) {
    assert.notEqual((await resolve(registry, 'a/b'))?.origin.kind, 'flags', registry);
  }
});

test('tells the file and the entry, as the file spells it', async () => {
  const file = await writeAuth('origin.json', {
    'https://one.example/v1/': { auth: encode('me') },
    'one.example/team': { auth: encode('me') },
  });
  const resolve = resolver({ REGISTRY_AUTH_FILE: file });
  const origin = async (repository: string): Promise<unknown> => (await resolve('one.example', repository))?.origin;
  assert.deepEqual(await origin('other/app'), { kind: 'file', file, entry: 'https://one.example/v1/' });
  assert.deepEqual(await origin('team/app'), { kind: 'file', file, entry: 'one.example/team' });
});

test('a file is read only if those before it do not know the registry', async () => {
  const broken = join(home, 'later/config.json');
  await writeConfig('later/config.json', {});
  await writeFile(broken, '{');
  const environment = {
    REGISTRY_AUTH_FILE: await writeAuth('first.json', { 'one.example': { auth: encode('first') } }),
    DOCKER_CONFIG: dirname(broken),
  };
  assert.equal(await findUser(environment, 'one.example'), 'first');
  await assert.rejects(findUser(environment, 'two.example'), { code: 'DT_CONFIG_INVALID' });
});

describe('a helper that is not installed', () => {
  const auths = { 'one.example': { auth: encode('file') }, 'one.example/team': { auth: encode('path') } };

  test('is passed over where it is for every registry', async () => {
    const environment = { PATH: home, REGISTRY_AUTH_FILE: await writeConfig('a.json', { auths, credsStore: 'gone' }) };
    assert.equal(await findUser(environment, 'one.example'), 'file');
    assert.equal(await findUser(environment, 'one.example', 'team/app'), 'path');
    assert.equal(await findUser(environment, 'two.example'), undefined);
  });

  test('is an error where it is for this registry, but for a path that has its own entry', async () => {
    const credHelpers = { 'one.example': 'gone' };
    const file = await writeConfig('b.json', { auths, credHelpers });
    const environment = { PATH: home, REGISTRY_AUTH_FILE: file };
    await assert.rejects(findUser(environment, 'one.example'), {
      code: 'DT_CREDENTIAL_HELPER_FAILED',
      message: /docker-credential-gone/,
      detail: new RegExp(file),
    });
    assert.equal(await findUser(environment, 'one.example', 'team/app'), 'path');
    assert.equal(await findUser(environment, 'two.example'), undefined);
  });

  test('an empty name means the file itself', async () => {
    const document = { auths, credHelpers: { 'one.example': '' }, credsStore: '../evil' };
    const environment = { PATH: home, REGISTRY_AUTH_FILE: await writeConfig('c.json', document) };
    assert.equal(await findUser(environment, 'one.example'), 'file');
  });

  for (const name of ['../evil', 'a/b', '.', '-x', 'a b', '\0']) {
    test(`the name ${JSON.stringify(name)} is refused`, async () => {
      const environment = { PATH: home, REGISTRY_AUTH_FILE: await writeConfig('d.json', { credsStore: name }) };
      await assert.rejects(findUser(environment, 'one.example'), { code: 'DT_CREDENTIAL_HELPER_FAILED' });
    });
  }
});

test('hosts are the same in upper and lower case, in files and in what is given', async () => {
  const file = await writeAuth('case.json', { 'One.Example:5000': { auth: encode('me') } });
  assert.equal(await findUser({ REGISTRY_AUTH_FILE: file }, 'one.EXAMPLE:5000'), 'me');
  const given = { registry: 'ONE.example', username: 'given', password: 'p' };
  assert.equal((await resolver({}, given)('one.example', 'a'))?.origin.kind, 'flags');
});

test('a credential file must be a regular file, and a small one', async () => {
  const large = join(home, 'large.json');
  await writeFile(large, `{}${' '.repeat(MAX_CREDENTIAL_FILE_BYTES)}`);
  for (const path of [large, '/dev/zero']) {
    await assert.rejects(findUser({ REGISTRY_AUTH_FILE: path }, 'one.example'), { code: 'DT_CONFIG_INVALID' }, path);
  }
});
