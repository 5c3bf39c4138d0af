import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packChartArchive, unpackChartArchive } from '../../../src/archive/chart-archive.ts';
import { readChartFolder } from '../../../src/archive/chart-folder.ts';
import { encodeTarHeader } from '../../../src/archive/tar-header.ts';
import {
  buildChartTree,
  findChartFile,
  type ChartEntry,
  type ChartTree,
} from '../../../src/domain/chart/chart-tree.ts';
import { makeHostileChart } from '../../security/hostile-tar.ts';

const SHARED = join(import.meta.dirname, '../../../../shared');
const fileOf = (path: string, content = '', mode = 0o644): ChartEntry => ({
  path,
  type: 'file',
  mode,
  bytes: Buffer.from(content),
});
const TREE = buildChartTree([
  fileOf('Chart.yaml', 'name: c\nversion: 1.0.0\n'),
  fileOf('.helmignore', '*'),
  fileOf('bin/run.sh', '#!', 0o755),
  fileOf('templates/a.yaml', 'x'.repeat(1000)),
  fileOf('templates-b', ''),
  fileOf(`files/${'n'.repeat(200)}`, 'ü'),
  { path: 'empty', type: 'directory', mode: 0o700, bytes: new Uint8Array() },
]);
const comparable = (tree: ChartTree): unknown => tree.map((entry) => ({ ...entry, bytes: Buffer.from(entry.bytes) }));

test('what is packed is unpacked the same', async () => {
  const archive = await packChartArchive('c', TREE, { mtimeSeconds: 0 });
  assert.deepEqual(comparable(await unpackChartArchive(archive, 'c')), comparable(TREE));
});

test('equal trees give equal bytes, whatever their order', async () => {
  const first = await packChartArchive('c', TREE, { mtimeSeconds: 0 });
  assert.deepEqual(await packChartArchive('c', TREE.toReversed(), { mtimeSeconds: 0 }), first);
  assert.notDeepEqual(await packChartArchive('c', TREE, { mtimeSeconds: 1 }), first);
  assert.deepEqual(
    [...first.subarray(3, 8), first[9]],
    [0, 0, 0, 0, 0, 255],
    'no time, no name, no system in the gzip header',
  );
});

test('GNU tar lists what is packed: in order, folders without slash of their own, owned by nobody', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dt-test-'));
  try {
    writeFileSync(join(folder, 'c.tgz'), await packChartArchive('c', TREE, { mtimeSeconds: 0 }));
    const lines = execFileSync('tar', ['--numeric-owner', '--utc', '-tvzf', join(folder, 'c.tgz')], {
      encoding: 'utf8',
    });
    const listing = lines
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' '));
    assert.deepEqual(listing, [
      '-rw-r--r-- 0/0 1 1970-01-01 00:00 c/.helmignore',
      '-rw-r--r-- 0/0 23 1970-01-01 00:00 c/Chart.yaml',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 c/bin',
      '-rwxr-xr-x 0/0 2 1970-01-01 00:00 c/bin/run.sh',
      'drwx------ 0/0 0 1970-01-01 00:00 c/empty',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 c/files',
      `-rw-r--r-- 0/0 2 1970-01-01 00:00 c/files/${'n'.repeat(200)}`,
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 c/templates',
      '-rw-r--r-- 0/0 1000 1970-01-01 00:00 c/templates/a.yaml',
      '-rw-r--r-- 0/0 0 1970-01-01 00:00 c/templates-b',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the entries of a pushed chart are those of the Go tool', async () => {
  const output = join(SHARED, 'formats/golden/dt-unwrap/contour/output');
  const listing = JSON.parse(await readFile(join(output, 'pushed-chart.listing.json'), 'utf8')) as {
    name: string;
    type: string;
  }[];
  const tree = await readChartFolder(join(output, 'pushed-chart/contour'));
  assert.deepEqual(
    tree.map(({ path, type }) => ({ name: `contour/${path}`, type: type === 'file' ? 'file' : 'dir' })),
    listing.map(({ name, type }) => ({ name, type })),
  );
});

test('a packaged chart of Helm is read', async () => {
  const path = join(SHARED, 'formats/golden/helm/helm3-push/input/mychart-1.0.0+build.5.tgz');
  const tree = await unpackChartArchive(await readFile(path), 'mychart');
  assert.deepEqual(
    tree.map((entry) => entry.path),
    ['Chart.yaml', 'templates', 'templates/x.yaml', 'values.yaml'],
  );
});

test('any top folder is taken off, and the last of two entries counts', async () => {
  const archive = await makeHostileChart(
    { name: './other/a', content: 'old' },
    { name: 'third', type: 'directory' },
    { name: 'third/a', content: 'new' },
  );
  const tree = await unpackChartArchive(archive, 'c');
  assert.deepEqual(
    tree.map((entry) => entry.path),
    ['Chart.yaml', 'a'],
  );
  assert.equal(String(findChartFile(tree, 'a')?.bytes), 'new');
});

test('bits beyond the permissions are dropped', async () => {
  const tree = await unpackChartArchive(await makeHostileChart({ name: 'c/su', mode: 0o6755, content: 'x' }), 'c');
  assert.equal(findChartFile(tree, 'su')?.mode, 0o755);
});

const NOT_CHARTS: Readonly<Record<string, Buffer>> = {
  'no gzip': Buffer.from('hello'),
  nothing: Buffer.alloc(0),
  'an empty gzip': gzipSync(''),
  'no tar': gzipSync('x'.repeat(600)),
  'no entries': gzipSync(Buffer.alloc(1024)),
  'folders only': gzipSync(
    encodeTarHeader({ path: 'c/a', type: 'directory', mode: 0o755, sizeBytes: 0, mtimeSeconds: 0 }),
  ),
  'a file without folder': await makeHostileChart({ name: 'Chart.yaml', content: 'x' }),
  'a cut archive': (await makeHostileChart({ name: 'c/a', content: 'x'.repeat(100) })).subarray(0, 60),
};
for (const [what, bytes] of Object.entries(NOT_CHARTS)) {
  test(`${what} is refused`, async () => {
    await assert.rejects(unpackChartArchive(bytes, 'c.tgz'), { code: 'DT_CHART_INVALID' });
  });
}
