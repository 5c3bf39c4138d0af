import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT, runCommand } from '../../scripts/lib/run-command.ts';

test('the demo goes the whole way and leaves nothing behind', async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'dt-demo-test-'));
  try {
    const { code, output } = await runCommand(process.execPath, [join(REPOSITORY_ROOT, 'scripts', 'demo.ts')], {
      isCaptured: true,
      env: { ...process.env, TMPDIR: temporary },
    });
    assert.equal(code, 0, output);
    assert.match(output, /registry: 127\.0\.0\.1:\d+\n +repository: mirror\/shop\/web {2}# ours/);
    assert.deepEqual(await readdir(temporary), []);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
});
