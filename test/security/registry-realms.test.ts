import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { DtError } from '../../src/domain/errors.ts';
import { isDtError } from '../../src/domain/errors.ts';
import type { HostRule } from '../../src/transport/connections/host-rule.ts';
import { createRegistryClients } from '../../src/transport/registry-clients.ts';
import { catchError } from '../support/assert-refused.ts';
import { createTestAuthority, type TestAuthority } from '../support/certificates.ts';
import { requireMachineAddress } from '../support/machine-address.ts';
import {
  sendJson,
  useScriptedServer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from '../support/scripted-server.ts';

const AUTHORIZATION = `Basic ${Buffer.from('user:planted').toString('base64')}`;

interface Trial {
  readonly registry: ScriptedServer;
  /** Asks the registry for a manifest, with credentials for it at hand. */
  ask(options?: { readonly insecure?: HostRule; readonly usePlainHttp?: HostRule }): Promise<unknown>;
}

/** A registry that sends everybody to the realm. */
async function startTrial(
  t: TestContext,
  realm: string,
  authority: TestAuthority,
  options: ScriptedServerOptions,
): Promise<Trial> {
  const registry = await useScriptedServer(
    t,
    (request, response) => {
      if (request.headers.authorization === 'Bearer T') sendJson(response, 404, {});
      else sendJson(response, 401, {}, { 'www-authenticate': `Bearer realm="${realm}",service="s"` });
    },
    options,
  );
  const folder = await mkdtemp(join(tmpdir(), 'dt-realm-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  const auths = { [registry.host]: { auth: AUTHORIZATION.slice('Basic '.length) } };
  await writeFile(join(folder, 'auth.json'), JSON.stringify({ auths }));
  return {
    registry,
    ask: async ({ insecure = false, usePlainHttp = false } = {}) => {
      const clients = await createRegistryClients({
        userAgent: 'test',
        insecure,
        usePlainHttp,
        environment: { HOME: folder, REGISTRY_AUTH_FILE: join(folder, 'auth.json') },
        caFiles: [authority.certificate],
        retries: 0,
      });
      return clients.forRegistry(registry.host).send({
        method: 'GET',
        path: 'manifests/1.0',
        repository: 'a/b',
        action: 'pull',
        expect: [404],
        what: 'manifest',
      });
    },
  };
}

/** Gives everybody a token. */
async function startTokenServer(t: TestContext, options: ScriptedServerOptions = {}): Promise<ScriptedServer> {
  return useScriptedServer(
    t,
    (_, response) => {
      sendJson(response, 200, { token: 'T' });
    },
    options,
  );
}

async function failureOf(promise: Promise<unknown>): Promise<DtError> {
  const error = await catchError(promise);
  assert.ok(isDtError(error), String(error));
  return error;
}

test('a verified realm on another host gets the credentials', async (t) => {
  const authority = await createTestAuthority(t);
  const tls = await authority.issue('127.0.0.1');
  const tokens = await startTokenServer(t, { tls });
  const trial = await startTrial(t, `https://${tokens.host}/token`, authority, { tls });
  await trial.ask();
  assert.deepEqual(
    tokens.requests.map(({ headers }) => headers.authorization),
    [AUTHORIZATION],
  );
});

test('token theft: a registry with TLS names a realm without', async (t) => {
  const authority = await createTestAuthority(t);
  const thief = await startTokenServer(t);
  const trial = await startTrial(t, `http://${thief.host}/token`, authority, {
    tls: await authority.issue('127.0.0.1'),
  });
  assert.equal((await failureOf(trial.ask())).code, 'DT_REALM_REFUSED');
  assert.equal((await failureOf(trial.ask({ insecure: true }))).code, 'DT_REALM_REFUSED');
  assert.deepEqual(thief.requests, []);
});

test('token theft: the certificate of the realm is not trusted, also where that of the registry need not be', async (t) => {
  const [authority, stranger] = [await createTestAuthority(t), await createTestAuthority(t)];
  const thief = await startTokenServer(t, { tls: await stranger.issue('127.0.0.1') });
  const trial = await startTrial(t, `https://${thief.host}/token`, authority, {
    tls: await authority.issue('127.0.0.1'),
  });
  assert.equal((await failureOf(trial.ask())).code, 'DT_REGISTRY_UNREACHABLE');
  assert.equal((await failureOf(trial.ask({ insecure: [trial.registry.host] }))).code, 'DT_REGISTRY_UNREACHABLE');
  assert.deepEqual(thief.requests, []);
  await trial.ask({ insecure: [thief.host] });
  assert.equal(thief.requests.length, 1);
});

test('a registry that is not on loopback names a realm on loopback', async (t) => {
  const address = requireMachineAddress(t);
  if (address === undefined) return;
  const authority = await createTestAuthority(t);
  const local = await startTokenServer(t);
  const trial = await startTrial(t, `http://${local.host}/token`, authority, { address });
  const error = await failureOf(trial.ask({ usePlainHttp: [trial.registry.host] }));
  assert.equal(error.code, 'DT_REALM_REFUSED');
  assert.deepEqual(local.requests, []);
});

for (const realm of [
  'http://169.254.169.254/latest/',
  'http://[fd00:ec2::254]/',
  'http://2852039166/',
  'http://0xa9fea9fe/',
]) {
  test(`a registry names the metadata address ${realm} as its realm`, async (t) => {
    const trial = await startTrial(t, realm, await createTestAuthority(t), {});
    assert.equal((await failureOf(trial.ask())).code, 'DT_REALM_REFUSED');
  });
}
