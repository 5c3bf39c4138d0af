import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import { DtError } from '../../../src/domain/errors.ts';
import {
  createCredentialResolver,
  type CredentialOptions,
  type FoundCredential,
} from '../../../src/transport/auth/credentials.ts';
import { writeHelper } from '../../support/credential-helpers.ts';

const PLANTED = 'planted-secret-4711';

interface Surroundings {
  readonly folder: string;
  readonly file: string;
  readonly find: (registry: string, repository?: string) => Promise<FoundCredential | undefined>;
}

/** A credential file, and a PATH with the helpers of this test in front. */
async function surround(
  t: TestContext,
  document: object,
  options: Omit<CredentialOptions, 'environment'> = {},
): Promise<Surroundings> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-helper-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'auth.json');
  await writeFile(file, JSON.stringify(document));
  const environment = { HOME: folder, REGISTRY_AUTH_FILE: file, PATH: `${folder}:/usr/bin:/bin` };
  const resolve = createCredentialResolver({ environment, ...options });
  return { folder, file, find: async (registry, repository = 'team/app') => resolve(registry, repository) };
}

const basic = (username: string, password: string): object => ({ kind: 'basic', username, password });
const encode = (username: string): object => ({ auth: Buffer.from(`${username}:p`).toString('base64') });

test('a helper gives user and secret, or an identity token, and is asked once for a server', async (t) => {
  const { folder, file, find } = await surround(t, { credHelpers: { 'r.example': 'plain', 't.example': 'token' } });
  await writeHelper(
    folder,
    'plain',
    `cat >> ${folder}/asked; echo >> ${folder}/asked; echo '{"Username":"u","Secret":"s"}'`,
  );
  await writeHelper(folder, 'token', `cat > /dev/null; echo '{"ServerURL":"x","Username":"<token>","Secret":"T"}'`);
  const found = await Promise.all([find('r.example'), find('r.example', 'other'), find('r.example')]);
  for (const each of found) {
    assert.deepEqual(each, {
      credential: basic('u', 's'),
      origin: { kind: 'file', file, entry: 'r.example', helper: 'plain' },
    });
  }
  assert.equal(await readFile(join(folder, 'asked'), 'utf8'), 'r.example\n');
  assert.deepEqual((await find('t.example'))?.credential, { kind: 'identity-token', token: 'T' });
  assert.equal(await find('r.example:5000'), undefined);
});

test('in one file: longer paths, then the helper of the registry, then the helper for all, then the entry', async (t) => {
  const { folder, find } = await surround(t, {
    auths: {
      'own.example': encode('entry'),
      'all.example': encode('entry'),
      'known.example': encode('entry'),
      'own.example/team': encode('path'),
      'all.example/kept': {},
    },
    credHelpers: { 'own.example': 'own' },
    credsStore: 'all',
  });
  const knows = (servers: string, user: string): string =>
    `read server; case " ${servers} " in *" $server "*) echo '{"Username":"${user}","Secret":"s"}';; *) echo 'credentials not found in native keychain'; exit 1;; esac`;
  await writeHelper(folder, 'own', knows('own.example all.example', 'own'));
  await writeHelper(
    folder,
    'all',
    knows('all.example own.example all.example/kept https://index.docker.io/v1/', 'all'),
  );
  const user = async (registry: string, repository?: string): Promise<string | undefined> => {
    const found = await find(registry, repository);
    return found?.credential.kind === 'basic' ? found.credential.username : undefined;
  };
  assert.equal(await user('own.example', 'other/app'), 'own');
  assert.equal(await user('own.example', 'team/app'), 'path');
  assert.equal(await user('all.example'), 'all');
  assert.equal(await user('known.example'), 'entry');
  assert.equal(await user('docker.io'), 'all');
  assert.equal(await user('unknown.example'), undefined);
  const kept = await find('all.example', 'kept/app');
  assert.equal(kept?.origin.kind === 'file' ? kept.origin.entry : '', 'all.example/kept');
});

test('a server that a helper does not know, or knows nothing of, is looked for in the next file', async (t) => {
  const { folder, find } = await surround(t, {
    credHelpers: { 'r.example': 'knows-none', 's.example': 'says-nothing' },
  });
  await writeHelper(folder, 'knows-none', 'echo "credentials not found in native keychain"; exit 1');
  await writeHelper(folder, 'says-nothing', `echo '{"Username":"","Secret":""}'`);
  for (const registry of ['r.example', 's.example']) assert.equal(await find(registry), undefined);
  await mkdir(join(folder, '.docker'));
  await writeFile(join(folder, '.docker/config.json'), JSON.stringify({ auths: { 'r.example': encode('next') } }));
  const environment = { HOME: folder, REGISTRY_AUTH_FILE: join(folder, 'auth.json'), PATH: `${folder}:/usr/bin:/bin` };
  const found = await createCredentialResolver({ environment })('r.example', 'a');
  assert.deepEqual(found?.credential, basic('next', 'p'));
});

test('a server is asked for under the name that the file has', async (t) => {
  const { folder, find } = await surround(t, { auths: { 'https://r.example/v1/': {} }, credsStore: 'echo' });
  await writeHelper(folder, 'echo', `printf '{"Username":"%s","Secret":"s"}' "$(cat)"`);
  assert.deepEqual((await find('r.example'))?.credential, basic('https://r.example/v1/', 's'));
  assert.deepEqual((await find('other.example'))?.credential, basic('other.example', 's'));
});

for (const [name, script] of [
  ['ends with 1 and says the secret on both streams', `echo ${PLANTED}; echo ${PLANTED} >&2; exit 1`],
  ['is killed', `echo ${PLANTED}; kill -9 $$`],
  ['answers with no JSON', `echo '{"Username":"u","Secret":"${PLANTED}'`],
  ['answers with other JSON', `echo '{"user":"u","password":"${PLANTED}"}'`],
  ['answers with a number', `echo '{"Username":"u","Secret":4711}'`],
  ['answers with null', 'echo null'],
  ['prints a megabyte', `head -c 1000000 /dev/zero | tr '\\0' x; echo ${PLANTED}`],
  ['prints without end', 'exec cat /dev/zero >&2'],
] as const) {
  test(`a helper that ${name} is an error that names helper and file, and holds nothing of its output`, async (t) => {
    const { folder, file, find } = await surround(t, { credsStore: 'bad' });
    await writeHelper(folder, 'bad', script);
    const error = await find('r.example').catch((thrown: unknown) => thrown);
    assert.ok(error instanceof DtError);
    assert.deepEqual([error.code, error.exitCode], ['DT_CREDENTIAL_HELPER_FAILED', 4]);
    assert.match(error.message, /docker-credential-bad/);
    assert.ok(error.detail?.includes(file));
    assert.ok(!inspect(error, { depth: 9 }).includes(PLANTED));
  });
}

test('a helper that hangs is given up, also when it has left a child behind', async (t) => {
  const { folder, find } = await surround(t, { credsStore: 'slow' }, { helperTimeoutMs: 100 });
  await writeHelper(folder, 'slow', `sleep 5; echo '{"Username":"u","Secret":"s"}'`);
  await assert.rejects(find('r.example'), { code: 'DT_CREDENTIAL_HELPER_FAILED' });
});

test('an interruption ends a helper at work', async (t) => {
  const controller = new AbortController();
  const { folder, find } = await surround(t, { credsStore: 'slow' }, { signal: controller.signal });
  await writeHelper(folder, 'slow', 'exec sleep 30');
  const answer = find('r.example');
  await setTimeout(50);
  controller.abort();
  await assert.rejects(answer, { code: 'DT_INTERRUPTED' });
});

test('a helper is taken from absolute folders of PATH only', async (t) => {
  const { folder, file } = await surround(t, { credHelpers: { 'r.example': 'here' } });
  await writeHelper(folder, 'here', `touch ${folder}/ran; echo '{"Username":"u","Secret":"s"}'`);
  const before = process.cwd();
  process.chdir(folder);
  try {
    for (const path of ['.', '', ':', './', undefined]) {
      const environment = { HOME: folder, REGISTRY_AUTH_FILE: file, PATH: path };
      await assert.rejects(createCredentialResolver({ environment })('r.example', 'a'), {
        code: 'DT_CREDENTIAL_HELPER_FAILED',
      });
    }
  } finally {
    process.chdir(before);
  }
  await assert.rejects(readFile(join(folder, 'ran')), { code: 'ENOENT' });
});

test('a helper gets the environment that it is looked up in', async (t) => {
  const { folder, file } = await surround(t, { credsStore: 'cloud' });
  await writeHelper(folder, 'cloud', `cat > /dev/null; printf '{"Username":"%s","Secret":"s"}' "$CLOUD_PROFILE"`);
  const environment = {
    HOME: folder,
    REGISTRY_AUTH_FILE: file,
    PATH: `${folder}:/usr/bin:/bin`,
    CLOUD_PROFILE: 'production',
  };
  const found = await createCredentialResolver({ environment })('r.example', 'a');
  assert.deepEqual(found?.credential, basic('production', 's'));
});

for (const [how, isTimeout] of [
  ['that is given up', true],
  ['that is interrupted', false],
] as const) {
  test(`a helper ${how} ends with its children`, { timeout: 20_000 }, async (t) => {
    const controller = new AbortController();
    const options = isTimeout ? { helperTimeoutMs: 1000 } : { signal: controller.signal };
    const { folder, find } = await surround(t, { credsStore: 'slow' }, options);
    await writeHelper(
      folder,
      'slow',
      `sleep 300 & echo $! > ${folder}/child.new; mv ${folder}/child.new ${folder}/child; wait`,
    );
    const answer = find('r.example').catch((error: unknown) => error);
    const child = Number(await waitForFile(join(folder, 'child')));
    assert.ok(child > 0 && isAlive(child));
    t.after(() => {
      if (isAlive(child)) process.kill(child);
    });
    if (!isTimeout) controller.abort();
    assert.ok((await answer) instanceof DtError);
    // Where the child goes on the time limit of the test ends this.
    while (isAlive(child) && !t.signal.aborted) await setTimeout(10);
  });
}

async function waitForFile(path: string): Promise<string> {
  for (;;) {
    try {
      return await readFile(path, 'utf8');
    } catch {
      await setTimeout(5);
    }
  }
}

/** A process that has ended and that nobody has waited for yet counts as ended. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}
