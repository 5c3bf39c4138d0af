import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli } from '../support/run-cli.ts';
import { assertPrintable } from '../support/assert-refused.ts';
import { chartFiles, withFolder, writeFiles } from '../support/hostile-wraps.ts';

async function assertRefused(folder: string, code: RegExp, exitCode: number): Promise<void> {
  const work = join(folder, 'work');
  await writeFiles(work, { 'deep/er/.keep': '' });
  const cwd = join(work, 'deep', 'er');
  const result = await runCli(['wrap', join(folder, 'demo'), '--allow-empty', '--plain'], {
    cwd,
    env: { HOME: folder },
    timeoutMs: 20_000,
  });
  assert.match(result.stderr, code);
  assert.equal(result.code, exitCode);
  assertPrintable(result.stdout + result.stderr);
  assert.deepEqual(await readdir(cwd), ['.keep']);
  assert.deepEqual(await readdir(work), ['deep']);
  assert.deepEqual(await readdir(join(work, 'deep')), ['er']);
}

for (const target of ['/etc/passwd', '../../secret', '/etc', '..', '/proc/self/environ']) {
  test(`a chart folder with a link to ${target} is not carried away`, async () => {
    await withFolder(async (folder) => {
      await writeFiles(folder, { secret: 'secret' });
      await writeFiles(join(folder, 'demo'), chartFiles([]));
      await symlink(target, join(folder, 'demo', 'templates', 'link'));
      await assertRefused(folder, /Code: DT_UNSAFE_ENTRY/, 3);
    });
  });
}

for (const [name, version] of [
  ['../evil', '1.0.0'],
  ['..', '1.0.0'],
  ['a/../../evil', '1.0.0'],
  ['demo', '1.0.0/../../evil'],
  ['demo', '../1.0.0'],
  ['a\u001b[2Jb', '1.0.0'],
  ['/etc/evil', '1.0.0'],
  ['a\u0000b', '1.0.0'],
] as const) {
  test(`a chart called ${JSON.stringify(`${name}-${version}`)} names no output file`, async () => {
    await withFolder(async (folder) => {
      await writeFiles(join(folder, 'demo'), {
        'Chart.yaml': `apiVersion: v2\nname: ${JSON.stringify(name)}\nversion: ${JSON.stringify(version)}\n`,
      });
      await assertRefused(folder, /Code: DT_(?:CHART|YAML)_INVALID/, 1);
    });
  });
}

const LEVELS = Array.from(
  { length: 12 },
  (_, level) =>
    `a${String(level + 1)}: &a${String(level + 1)} [${Array.from({ length: 20 }, () => `*a${String(level)}`).join(', ')}]`,
);
const BOMB = `a0: &a0 x\n${LEVELS.join('\n')}\n`;

test('aliases that multiply in Chart.yaml are refused', async () => {
  await withFolder(async (folder) => {
    await writeFiles(join(folder, 'demo'), { 'Chart.yaml': `apiVersion: v2\nname: demo\nversion: 1.0.0\n${BOMB}` });
    await assertRefused(folder, /Code: DT_YAML_INVALID/, 1);
  });
});

test('a node of Chart.yaml that contains itself is refused', async () => {
  await withFolder(async (folder) => {
    await writeFiles(join(folder, 'demo'), {
      'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\ndependencies: &a [{name: x, import-values: *a}]\n',
    });
    await assertRefused(folder, /Code: DT_YAML_INVALID/, 1);
  });
});

test('aliases that multiply in Images.lock are refused', async () => {
  await withFolder(async (folder) => {
    await writeFiles(join(folder, 'demo'), chartFiles([], { 'Images.lock': `${BOMB}images: *a12\n` }));
    await assertRefused(folder, /Code: DT_LOCK_INVALID/, 3);
  });
});

test('a chart folder with a pipe does not make the program wait', async () => {
  await withFolder(async (folder) => {
    await writeFiles(join(folder, 'demo'), chartFiles([]));
    execFileSync('mkfifo', [join(folder, 'demo', 'templates', 'pipe')]);
    await assertRefused(folder, /Code: DT_UNSAFE_ENTRY/, 3);
  });
});

test('a chart in the place of which a text lies is refused', async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, 'demo'), 'no chart');
    await assertRefused(folder, /Code: DT_CHART_INVALID/, 1);
  });
});
