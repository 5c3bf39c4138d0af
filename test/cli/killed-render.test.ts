import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDiscoverySite, podOf } from '../support/discovery-site.ts';
import { DT_PATH } from '../support/run-cli.ts';
import { requireTool } from '../support/tools.ts';

const P = 'registry.internal:5000/mirror';
const MAX_WAIT_MS = 20_000;
/** Takes seconds, and comes to an end: nobody stops the Helm of a killed run. */
const SLOW = '{{ range until 5 }}{{ genPrivateKey "rsa" | b64enc }}{{ end }}';

test('what a killed run leaves in TMPDIR goes with the next one', async (t) => {
  const site = await createDiscoverySite(t, []);
  const helm = requireTool(t, 'helm3');
  if (site === undefined || helm === undefined) return;
  const { sandbox } = site;
  await site.writeChart('slow', { 'templates/slow.yaml': SLOW });
  await site.writeChart('quick', { 'templates/p.yaml': podOf('p', 'quay.io/team/app:1') });
  const child = spawn(DT_PATH, ['charts', 'relocate', 'slow', P], {
    cwd: sandbox.work,
    env: { ...process.env, ...sandbox.env, HELM_BIN: helm, CI: '1' },
    stdio: 'ignore',
  });
  t.after(() => child.kill('SIGKILL'));
  const endsAtMs = performance.now() + MAX_WAIT_MS;
  while ((await sandbox.listTemporary()).length === 0) {
    assert.ok(performance.now() < endsAtMs, 'nothing was rendered');
    await sleep(20);
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  const left = await sandbox.listTemporary();
  assert.match(left.join(), /^dt-render-[^,]*$/);
  await site.runOk(['charts', 'relocate', 'quick', P]);
  assert.deepEqual(await sandbox.listTemporary(), []);
});
