import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readChartFolder } from '../../src/archive/chart-folder.ts';

let root = '';
let chart = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dt-test-'));
  chart = join(root, 'chart');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await mkdir(join(root, 'chart-secret'));
  await writeFile(join(root, 'secret'), 'secret');
  await writeFile(join(chart, 'Chart.yaml'), 'name: c\nversion: 1.0.0\n');
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const OUTWARD_LINKS: Readonly<Record<string, string>> = {
  'an absolute link': '/etc/hostname',
  'a link to a file beside the chart': '../secret',
  'a link to the folder of the chart folder': '..',
  'a link to a folder whose name starts like the chart': '../chart-secret',
  'a link that leaves and comes back by another way': '../hop',
  'a link to a running process': '/proc/self/environ',
};
for (const [what, target] of Object.entries(OUTWARD_LINKS)) {
  test(`${what} is refused`, async () => {
    await symlink('secret', join(root, 'hop'));
    await symlink(target, join(chart, 'link'));
    await assert.rejects(readChartFolder(chart), { code: 'DT_UNSAFE_ENTRY' });
  });
}

test('a link by way of another link is refused', async () => {
  await symlink('templates', join(chart, 'first'));
  await symlink('../../secret', join(chart, 'templates/second'));
  await assert.rejects(readChartFolder(chart), { code: 'DT_UNSAFE_ENTRY' });
});

for (const [link, target] of [
  ['self', 'self'],
  ['templates/up', '..'],
  ['templates/here', '.'],
] as const) {
  test(`the circle ${link} -> ${target} is refused`, async () => {
    // Walked on and on, the circle would be too large before its paths are too long.
    for (let number = 0; number < 60; number += 1) await writeFile(join(chart, 'templates', String(number)), '');
    await symlink(target, join(chart, link));
    await assert.rejects(readChartFolder(chart), { code: 'DT_UNSAFE_ENTRY' });
  });
}

test('folders that link to each other cannot grow without end', async () => {
  for (let level = 0; level < 12; level += 1) {
    const folder = join(chart, `level${String(level)}`);
    await mkdir(folder);
    for (let copy = 0; copy < 10; copy += 1) await symlink(`../level${String(level + 1)}`, join(folder, String(copy)));
  }
  await mkdir(join(chart, 'level12'));
  await assert.rejects(readChartFolder(chart), { code: 'DT_CHART_TOO_LARGE' });
});

test('a pipe is refused and not waited for', async () => {
  execFileSync('mkfifo', [join(chart, 'pipe')]);
  await assert.rejects(readChartFolder(chart), { code: 'DT_UNSAFE_ENTRY' });
});
