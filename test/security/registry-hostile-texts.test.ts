import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertWrapFails } from '../support/assert-wrap-fails.ts';
import { assertPrintable } from '../support/assert-refused.ts';
import { runCli } from '../support/run-cli.ts';
import { withFolder } from '../support/hostile-wraps.ts';
import { sendJson, startScriptedServer } from '../support/scripted-server.ts';

const EVIL = '\u001b]0;title\u0007\u001b[2J\u009b1Aevil\u202e\r\nError: forged line';

for (const [status, code] of [
  [403, 'DT_AUTH_DENIED'],
  [404, 'DT_NOT_FOUND'],
  [500, 'DT_REGISTRY_ERROR'],
] as const) {
  test(`control characters in an error body (${String(status)}) do not reach the terminal`, async () => {
    const { output } = await assertWrapFails(
      (request, response) => {
        if (request.url === '/v2/') {
          response.end('{}');
          return;
        }
        sendJson(response, status, { errors: [{ code: EVIL, message: EVIL.repeat(1000) }] });
      },
      [code],
    );
    assert.match(output, /evil/);
    assert.doesNotMatch(output, /^Error: forged line/m);
    assert.ok(output.length < 5000);
  });
}

for (const errors of [null, 5, 'x', [null], [[]], [{ code: {}, message: [] }], { length: 1 }]) {
  test(`an error body with errors ${JSON.stringify(errors)} is an error like any other`, async () => {
    await assertWrapFails(
      (request, response) => {
        if (request.url === '/v2/') {
          response.end('{}');
          return;
        }
        sendJson(response, 400, { errors });
      },
      ['DT_REGISTRY_ERROR'],
      { throughProgram: false },
    );
  });
}

test('hostile names in a list of tags are no versions and do not reach the terminal', async () => {
  const tags = [
    '../../etc',
    EVIL,
    '1.0.0/../../x',
    '1.0.0\u001b[2J',
    '',
    '-rf',
    'a'.repeat(100_000),
    5,
    null,
    { a: 1 },
  ];
  const server = await startScriptedServer((request, response) => {
    if (request.url.endsWith('/tags/list')) sendJson(response, 200, { tags });
    else if (request.url === '/v2/') sendJson(response, 200, {});
    else sendJson(response, 404, {});
  });
  try {
    await withFolder(async (folder) => {
      const { code, stdout, stderr } = await runCli(['wrap', `oci://${server.host}/charts/demo`], {
        cwd: folder,
        env: { HOME: folder },
      });
      assert.equal(code, 5, stderr);
      assertPrintable(stdout + stderr);
      for (const { url } of server.requests)
        assert.match(url, /^\/v2\/(?:charts\/demo\/(?:tags\/list|manifests\/[\w.+-]+))?$/);
    });
  } finally {
    await server.close();
  }
});

test('a list of tags whose next page is the same page, or lies on another host, ends', async () => {
  const foreign = await startScriptedServer((_, response) => {
    sendJson(response, 200, { tags: ['9.9.9'] });
  });
  for (const next of ['/v2/charts/demo/tags/list', `http://${foreign.host}/v2/charts/demo/tags/list`]) {
    const server = await startScriptedServer((request, response) => {
      if (request.url.includes('/tags/list'))
        sendJson(response, 200, { tags: ['x'] }, { link: `<${next}>; rel="next"` });
      else sendJson(response, request.url === '/v2/' ? 200 : 404, {});
    });
    try {
      await withFolder(async (folder) => {
        const { code, stderr } = await runCli(['wrap', `oci://${server.host}/charts/demo`], {
          cwd: folder,
          env: { HOME: folder },
        });
        assert.equal(code, 5, stderr);
      });
      assert.ok(server.requests.length < 10);
      assert.equal(foreign.requests.length, 0);
    } finally {
      await server.close();
    }
  }
  await foreign.close();
});
