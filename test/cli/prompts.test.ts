import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { startEmbeddedRegistry, TEST_CREDENTIALS } from '../support/registries.ts';
import { DT_PATH } from '../support/run-cli.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { skipLoudly } from '../support/skip-loudly.ts';
import { hasTerminal, openTerminal, type Terminal } from '../support/terminal.ts';
import { prepareWrappedShop } from '../support/wrapped-shop.ts';

const { username, password } = TEST_CREDENTIALS;

async function openIn(
  t: TestContext,
  sandbox: Sandbox,
  { columns, args, env = {} }: { columns: number; args: string; env?: Record<string, string> },
): Promise<Terminal> {
  return openTerminal(t, {
    columns,
    cwd: sandbox.work,
    env: { ...sandbox.env, HELM_BIN: undefined, PATH: '/usr/bin:/bin', DT_NODE: process.execPath, ...env },
    command: args.replace('dt ', `${DT_PATH} `),
  });
}

/** False, and the test is skipped, where there is no terminal to be had. */
async function requireTerminal(t: TestContext): Promise<boolean> {
  if (await hasTerminal()) return true;
  skipLoudly(t, 'there is no tmux on PATH');
  return false;
}

for (const columns of [80, 40]) {
  test(`a login asks at ${String(columns)} columns, and never shows the password`, async (t) => {
    if (!(await requireTerminal(t))) return;
    const sandbox = await createSandbox(t);
    const registry = await startEmbeddedRegistry({ auth: true });
    t.after(async () => registry.close());
    const config = join(sandbox.home, '.docker/config.json');
    const terminal = await openIn(t, sandbox, { columns, args: `dt auth login ${registry.host}` });
    await terminal.waitFor(/^ \? {2}User name for 127/m);
    await terminal.press(username);
    await terminal.waitFor(/: dt-us\s*er$/m);
    await terminal.press('Enter');
    await terminal.waitFor(/^ ✔ {2}User name for 127.*\n(?:.*\n)* \? {2}Password of dt-user:/m);
    await terminal.press(password, 'Enter');
    const ended = await terminal.waitForEnd();
    assert.match(ended, /^exit 0$/m);
    assert.match(ended, /Logged in to/);
    assert.doesNotMatch(ended, /dt-secret|\*/);
    for (const question of [/User name for/g, /Password of/g]) assert.equal(ended.match(question)?.length, 1, ended);
    assert.ok(existsSync(config));
  });

  test(`the question before a push at ${String(columns)} columns: yes, no, Ctrl-D, Ctrl-C`, async (t) => {
    if (!(await requireTerminal(t))) return;
    const { sandbox, target } = await prepareWrappedShop(t);
    const answer = async (...keys: readonly string[]): Promise<string> => {
      const terminal = await openIn(t, sandbox, { columns, args: `dt unwrap w.tgz ${target.host}/m` });
      const asked = await terminal.waitFor(/Push 3 images and the chart\?\s\(y\/N\)/);
      assert.ok(!/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/u.test(asked), asked);
      await terminal.press(...keys);
      return terminal.waitForEnd();
    };
    const isPushed = (): boolean => target.requests.some((request) => request.startsWith('PUT '));
    for (const keys of [['Enter'], ['n', 'Enter'], ['C-d']]) {
      const refused = await answer(...keys);
      assert.match(refused, /Nothing was pushed[^]*^exit 0$/m, keys.join(' '));
      assert.ok(!isPushed());
    }
    const interrupted = await answer('C-c');
    assert.match(interrupted, /^Code: DT_INTERRUPTED$[^]*^exit 130$/m);
    assert.ok(!isPushed());
    const pushed = await answer('y', 'Enter');
    assert.match(pushed, /chart\? Yes$[^]*^exit 0$/m);
    assert.ok(isPushed());
  });
}

test('Ctrl-C at the password ends a login, and nothing is kept', async (t) => {
  if (!(await requireTerminal(t))) return;
  const sandbox = await createSandbox(t);
  const terminal = await openIn(t, sandbox, { columns: 80, args: 'dt auth login 127.0.0.1:9 --username robot' });
  await terminal.waitFor(/Password of robot:/);
  await terminal.press('hidden', 'C-c');
  const ended = await terminal.waitForEnd();
  assert.match(ended, /^Code: DT_INTERRUPTED$[^]*^exit 130$/m);
  assert.doesNotMatch(ended, /hidden/);
  assert.ok(!existsSync(join(sandbox.home, '.docker')));
});

test('an answer from a pipe is read as a line, on a terminal too', async (t) => {
  if (!(await requireTerminal(t))) return;
  const { sandbox, target } = await prepareWrappedShop(t);
  const args = `echo yes | dt unwrap w.tgz ${target.host}/m`;
  const terminal = await openIn(t, sandbox, { columns: 80, args });
  const ended = await terminal.waitForEnd();
  assert.match(ended, /Push 3 images and the chart\? \[y\/N\][^]*^exit 0$/m);
  assert.ok(target.requests.some((request) => request.startsWith('PUT ')));
});
