import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { createCredentialSource } from '../../../src/transport/credentials.ts';

let home = '';
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'dt-credentials-'));
});
after(async () => rm(home, { recursive: true, force: true }));

const encode = (user: string, password = 'p'): string => Buffer.from(`${user}:${password}`).toString('base64');

async function writeAuth(path: string, auths: Record<string, unknown>): Promise<string> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ auths }));
  return file;
}

async function findUser(
  environment: Record<string, string>,
  registry: string,
  repository = 'a/b/c',
): Promise<string | undefined> {
  const credential = await createCredentialSource({ HOME: join(home, 'nobody'), ...environment })(registry, repository);
  return credential?.kind === 'basic' ? credential.username : credential?.token;
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

test('reads every form of an entry, and skips what is none', async () => {
  const file = await writeAuth('forms.json', {
    'a.example': { username: 'plain', password: '' },
    'b.example': { identitytoken: 'token', auth: encode('ignored') },
    'c.example': { auth: encode('with', 'colon:in:password') },
    'd.example': { auth: '!!!' },
    'e.example': { auth: Buffer.from(':no-user').toString('base64') },
    'f.example': null,
    'g.example': 'text',
    'h.example': {},
    'i.example': { username: 'no password' },
    'j.example': { auth: 5, identitytoken: 6 },
  });
  const source = createCredentialSource({ REGISTRY_AUTH_FILE: file, HOME: join(home, 'nobody') });
  assert.deepEqual(await source('a.example', 'x'), { kind: 'basic', username: 'plain', password: '' });
  assert.deepEqual(await source('b.example', 'x'), { kind: 'identity-token', token: 'token' });
  assert.deepEqual(await source('c.example', 'x'), { kind: 'basic', username: 'with', password: 'colon:in:password' });
  for (const name of 'defghij') assert.equal(await source(`${name}.example`, 'x'), undefined, name);
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
    '',
    '  \n',
    'null',
    '[]',
    '5',
    '{"auths":null}',
    '{"auths":[]}',
    '{"auths":"x"}',
    '{"__proto__":{"auths":{"one.example":{"username":"u","password":"p"}}}}',
  ]) {
    await writeFile(file, text);
    assert.equal(await findUser({ REGISTRY_AUTH_FILE: file }, 'one.example'), undefined, text);
  }
});
