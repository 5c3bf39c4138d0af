import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { packArchive } from '../support/archives.ts';
import { chartFiles } from '../support/hostile-wraps.ts';
import { basicAuthorization, pushChart } from '../support/images.ts';
import { startEmbeddedRegistry, TEST_CREDENTIALS } from '../support/registries.ts';
import { createSandbox } from '../support/sandbox.ts';
import { sendJson, startScriptedServer, type ScriptedServer } from '../support/scripted-server.ts';

const FLAGS = ['--username', TEST_CREDENTIALS.username, '--password-stdin'];
const OWN = basicAuthorization(TEST_CREDENTIALS);

/** A host of an attacker: it asks for a password, in both ways, and keeps what it gets. */
async function startThief(t: TestContext): Promise<ScriptedServer> {
  const thief = await startScriptedServer((request, response, host) => {
    const challenge = `Basic realm="x", Bearer realm="http://${host}/token",service="s"`;
    if (request.url.startsWith('/token')) sendJson(response, 401, {});
    else
      sendJson(
        response,
        401,
        {},
        { 'www-authenticate': request.url.includes('basic') ? 'Basic realm="x"' : challenge },
      );
  });
  t.after(async () => thief.close());
  return thief;
}

function assertNothingStolen(thief: ScriptedServer): void {
  assert.ok(thief.requests.length > 0, 'nobody came');
  for (const { headers, url, body } of thief.requests) {
    assert.equal(headers.authorization, undefined);
    assert.ok(!`${url}${body.toString()}`.includes(TEST_CREDENTIALS.password));
  }
}

for (const repository of ['bearer/app', 'basic/app']) {
  test(`a chart from a registry names an image of another host (${repository}): it never sees the password`, async (t) => {
    const [sandbox, thief, registry] = await Promise.all([
      createSandbox(t),
      startThief(t),
      startEmbeddedRegistry({ auth: true }),
    ]);
    t.after(async () => registry.close());
    const files = Object.entries(chartFiles([`${thief.host}/${repository}:1.0`]));
    const archive = await packArchive(
      Object.fromEntries(files.map(([path, content]) => [`demo/${path}`, content] as const)),
    );
    const metadata = { name: 'demo', version: '1.2.3' };
    await pushChart(registry.host, 'charts', metadata, archive, { authorization: OWN });
    const args = ['wrap', `oci://${registry.host}/charts/demo`, '--version', '1.2.3', ...FLAGS];
    const result = await sandbox.run(args, { stdin: TEST_CREDENTIALS.password });
    assert.equal(result.code, 4, result.stderr);
    assertNothingStolen(thief);
  });
}

test('a chart repository that names an archive of another host gets the password, the other host does not', async (t) => {
  const [sandbox, thief] = await Promise.all([createSandbox(t), startThief(t)]);
  const repository = await startScriptedServer(({ headers, url }, response) => {
    if (headers.authorization !== OWN) sendJson(response, 401, {});
    else if (url === '/index.yaml') {
      const digest = createHash('sha256').digest('hex');
      response.end(
        `entries:\n  demo:\n    - {version: 1.0.0, digest: ${digest}, urls: ["http://${thief.host}/demo.tgz"]}\n`,
      );
    } else response.writeHead(404).end();
  });
  t.after(async () => repository.close());
  const args = ['wrap', 'demo', '--repo', `http://${repository.host}`, ...FLAGS];
  const result = await sandbox.run(args, { stdin: TEST_CREDENTIALS.password });
  assert.equal(result.code, 4, result.stderr);
  assert.ok(repository.requests.some(({ headers }) => headers.authorization === OWN));
  assertNothingStolen(thief);
});

test('a chart of this machine names its registries itself: credentials for it are refused, and nobody is asked', async (t) => {
  const [sandbox, thief] = await Promise.all([createSandbox(t), startThief(t)]);
  const result = await sandbox.run(['wrap', 'demo', ...FLAGS], { stdin: TEST_CREDENTIALS.password });
  assert.equal(result.code, 2, result.stderr);
  assert.deepEqual(thief.requests, []);
});
