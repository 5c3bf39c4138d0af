import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GOLDEN_PORTS, goldenArguments } from '../support/golden.ts';
import { TEST_CREDENTIALS } from '../support/registries.ts';
import { errorCode } from './defect-checks.ts';
import type { Replay, ReplayContext } from './replay-frame.ts';

const HOST = `127.0.0.1:${String(GOLDEN_PORTS.authenticated)}`;
const CONFIG = 'docker/config.json';

const KNOWN_USER: Readonly<Record<string, string>> = {
  testuser: TEST_CREDENTIALS.username,
  testpass: TEST_CREDENTIALS.password,
};

interface Config {
  readonly auths: Readonly<Record<string, unknown>>;
}

/**
 * `auth login` and `auth logout`: the same file of Docker. A login is tried at the registry first, so the recorded user is replaced by
 * one that the registry knows, and the step for Docker Hub is left out.
 */
export function replayAuthCases(replay: Replay): void {
  replay('dt-auth/login-errors', async (context) => {
    for (const code of await runAuthSteps(context)) assert.equal(code, 2);
    assert.equal(existsSync(join(context.sandbox.work, CONFIG)), false);
  });

  replay('dt-auth/login-logout', async (context) => {
    assert.deepEqual(await runAuthSteps(context, { only: [0, 1] }), [0, 0]);
    const [own, recorded] = await readConfigs(context);
    const { username, password } = TEST_CREDENTIALS;
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    const auths: Record<string, unknown> = { ...recorded.auths, [HOST]: { auth } };
    delete auths['https://index.docker.io/v1/'];
    // The Go tool drops the empty credHelpers.
    assert.deepEqual(own, { auths, credHelpers: {} });
    assert.equal((await stat(join(context.sandbox.work, CONFIG))).mode & 0o777, 0o600);
  });

  replay('dt-auth/logout', async (context) => {
    assert.deepEqual(await runAuthSteps(context), [0, 0, 2]);
    const [own, recorded] = await readConfigs(context);
    assert.deepEqual(own, recorded);
  });

  replay('defects/auth-login-not-checked', async (context) => {
    assert.deepEqual(await runAuthSteps(context), [4]);
    assert.equal(existsSync(join(context.sandbox.work, CONFIG)), false);
  });
}

/** The exit codes of the steps. */
async function runAuthSteps(
  { goldenCase, sandbox }: ReplayContext,
  { only }: { readonly only?: readonly number[] } = {},
): Promise<number[]> {
  const codes: number[] = [];
  for (const [index, step] of goldenCase.steps.entries()) {
    if (only?.includes(index) === false) continue;
    const args = goldenArguments(step, sandbox).map((argument) => KNOWN_USER[argument] ?? argument);
    const result = await sandbox.run(args, {
      stdin: step.stdin ?? '',
      env: { DOCKER_CONFIG: join(sandbox.work, 'docker') },
    });
    assert.ok(result.code === 0 || errorCode(result) !== undefined, result.stderr);
    codes.push(result.code);
  }
  return codes;
}

async function readConfigs({ goldenCase, sandbox }: ReplayContext): Promise<[own: Config, recorded: Config]> {
  const read = async (folder: string): Promise<Config> =>
    JSON.parse(await readFile(join(folder, CONFIG), 'utf8')) as Config;
  return [await read(sandbox.work), await read(join(goldenCase.folder, 'output'))];
}
