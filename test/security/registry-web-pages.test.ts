import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runCli, type RunCliResult } from '../support/run-cli.ts';
import { createSandbox } from '../support/sandbox.ts';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.ts';
import { chartFiles, writeFiles } from '../support/hostile-wraps.ts';

const PAGE = '<!DOCTYPE html>\n<html><form action="/login"><input name="password"></form></html>';

/** Answers everything with a page for people, as a sign-in portal does; `redirect` to a page of another host. */
async function startPortal(t: TestContext, location?: string): Promise<ScriptedServer> {
  const server = await startScriptedServer((_, response) => {
    if (location === undefined) response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
    else response.writeHead(302, { location }).end();
  });
  t.after(async () => server.close());
  return server;
}

async function run(t: TestContext, args: readonly string[], stdin = ''): Promise<RunCliResult & { home: string }> {
  const { work } = await createSandbox(t);
  const home = join(work, 'home');
  await mkdir(home);
  return { ...(await runCli(args, { cwd: work, env: { HOME: home }, stdin })), home };
}

for (const kind of ['page', 'redirect to a page'] as const) {
  const start = async (t: TestContext): Promise<ScriptedServer> => {
    const portal = await startPortal(t);
    return kind === 'page' ? portal : startPortal(t, `http://${portal.host}/sign-in`);
  };

  test(`a ${kind} is no login, and no password is stored`, async (t) => {
    const { host } = await start(t);
    const result = await run(t, ['auth', 'login', host, '-u', 'user', '--password-stdin'], 'secret\n');
    assert.equal(result.code, 5, result.stderr);
    assert.match(result.stderr, /web page/);
    assert.deepEqual(await readdir(result.home), []);
  });

  test(`a ${kind} is no registry to pull from or push to`, async (t) => {
    const { host } = await start(t);
    for (const args of [[], ['--push']]) {
      const result = await run(t, ['auth', 'check', `${host}/team/app:1.0`, ...args]);
      assert.equal(result.code, 5, result.stderr);
    }
  });

  test(`a ${kind} is no image`, async (t) => {
    const { host } = await start(t);
    const { work } = await createSandbox(t);
    await writeFiles(join(work, 'demo'), chartFiles([`${host}/team/app:1.0`]));
    const result = await runCli(['wrap', 'demo'], { cwd: work, env: { HOME: work } });
    assert.equal(result.code, 5, result.stderr);
    assert.match(result.stderr, /web page/);
  });
}
