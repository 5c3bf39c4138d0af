import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { chartFiles, withFolder, writeFiles } from '../support/hostile-wraps.ts';
import { runCli, type RunCliResult } from '../support/run-cli.ts';
import {
  createContent,
  sendJson,
  serveContent,
  startScriptedServer,
  type ScriptedHandler,
} from '../support/scripted-server.ts';

const PASSWORD = 'planted-password-1f8a';
const TOKEN = 'planted-token-77c2';
const SIGNATURE = 'planted-signature-05de';
const STATE = 'planted-state-93b0';
const COOKIE = 'planted-cookie-4e61';
const SECRETS = [PASSWORD, TOKEN, SIGNATURE, STATE, COOKIE, Buffer.from(`user:${PASSWORD}`).toString('base64')];

/** Wants a token for everything, has its blobs behind signed links, and gives away what it should not wherever it can. */
function createLeakyRegistry(failing: (url: string) => boolean): ScriptedHandler {
  const content = createContent([Buffer.alloc(100_000, 'layer')]);
  const signed = `?X-Amz-Signature=${SIGNATURE}&sig=${SIGNATURE}&_state=${STATE}`;
  return (request, response, host) => {
    const [path = ''] = request.url.split('?');
    if (path === '/token') {
      const isRight = request.headers.authorization === `Basic ${SECRETS.at(-1) ?? ''}`;
      sendJson(response, isRight ? 200 : 401, { token: TOKEN }, { 'set-cookie': `session=${COOKIE}` });
    } else if (path.startsWith('/storage/')) {
      if (failing(path)) {
        sendJson(response, 403, { errors: [{ code: 'DENIED', message: `no access to ${request.url}` }] });
      } else serveContent(content, { ...request, url: path.replace('/storage', '/v2') }, response);
    } else if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      sendJson(response, 401, {}, { 'www-authenticate': `Bearer realm="http://${host}/token",service="s"` });
    } else if (path.includes('/blobs/')) {
      response.writeHead(307, { location: `${path.replace('/v2', '/storage')}${signed}` });
      response.end();
    } else if (failing(path)) {
      const message = `"password": "${PASSWORD}" Authorization: Bearer ${TOKEN} at https://user:${PASSWORD}@host/x?token=${TOKEN}`;
      sendJson(response, 500, { errors: [{ code: 'UNKNOWN', message }] });
    } else serveContent(content, request, response);
  };
}

async function wrap(failing: (url: string) => boolean, args: readonly string[], env = {}): Promise<RunCliResult> {
  const server = await startScriptedServer(createLeakyRegistry(failing));
  try {
    return await withFolder(async (folder) => {
      await writeFiles(join(folder, 'chart'), chartFiles([`${server.host}/team/app:1.0`]));
      const auths = { [server.host]: { username: 'user', password: PASSWORD } };
      await writeFiles(folder, { 'auth.json': JSON.stringify({ auths }) });
      return runCli(['wrap', 'chart', '--retries', '1', ...args], {
        cwd: folder,
        env: { HOME: folder, REGISTRY_AUTH_FILE: join(folder, 'auth.json'), ...env },
      });
    });
  } finally {
    await server.close();
  }
}

function assertNoSecret({ stdout, stderr }: RunCliResult): void {
  for (const secret of SECRETS) {
    assert.ok(!stdout.includes(secret) && !stderr.includes(secret), `${secret} is told:\n${stdout}${stderr}`);
  }
}

for (const [how, args, env] of [
  ['--log-level debug', ['--log-level', 'debug'], {}],
  ['HELM_DEBUG', [], { HELM_DEBUG: 'true' }],
] as const) {
  test(`${how} tells every request, but no secret`, async () => {
    const result = await wrap(() => false, args, env);
    assert.equal(result.code, 0, result.stderr);
    assertNoSecret(result);
    for (const pattern of [
      /GET http:\S+\/token\?service=s&scope=\S+ 200, received [0-9]+ bytes, [0-9]+ ms, try 1/,
      /GET http:\S+\/v2\/team\/app\/manifests\/1\.0 401, /,
      /GET http:\S+\/v2\/team\/app\/blobs\/sha256:[0-9a-f]{64} 307, /,
      /GET http:\S+\/storage\/team\/app\/blobs\/sha256:[0-9a-f]{64}\?\S*=\*\*\* 200, received 100000 bytes/,
    ]) {
      assert.match(result.stderr, pattern);
    }
  });
}

for (const [what, failing] of [
  ['the storage', (path: string) => path.startsWith('/storage/')],
  ['the registry', (path: string) => path.includes('/manifests/')],
] as const) {
  for (const args of [[], ['--json'], ['--log-level', 'debug']]) {
    test(`a failure of ${what} tells no secret${args.length === 0 ? '' : ` with ${args.join(' ')}`}`, async () => {
      const result = await wrap(failing, args);
      assert.notEqual(result.code, 0);
      assertNoSecret(result);
    });
  }
}

test('tries are counted in the lines', async () => {
  const result = await wrap((path) => path.includes('/manifests/'), ['--log-level', 'debug']);
  assert.match(result.stderr, /manifests\/1\.0 500, .*try 1$/m);
  assert.match(result.stderr, /manifests\/1\.0 500, .*try 2$/m);
});

for (const [name, args, code] of [
  ['a chart', ['wrap', `oci://user:${PASSWORD}@127.0.0.1:9/charts/shop`], 2],
  ['a registry to log in to', ['auth', 'login', `user:${PASSWORD}@127.0.0.1:9`, '--username', 'u'], 2],
  ['a reference to check', ['auth', 'check', `user:${PASSWORD}@127.0.0.1:9/a/b:1.0`], 2],
] as const) {
  for (const more of [[], ['--json'], ['--log-level', 'debug']]) {
    test(`a password in the name of ${name} is not told${more.length === 0 ? '' : ` with ${more.join(' ')}`}`, async () => {
      const result = await runCli([...args, ...more]);
      assert.equal(result.code, code, result.stderr);
      assertNoSecret(result);
    });
  }
}
