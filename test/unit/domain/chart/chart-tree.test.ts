import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildChartTree,
  chartTreeSizeBytes,
  findChartFile,
  MAX_CHART_ENTRIES,
  subtreeOf,
  type ChartEntry,
} from '../../../../src/domain/chart/chart-tree.ts';

const fileOf = (path: string, content = '', mode = 0o644): ChartEntry => ({
  path,
  type: 'file',
  mode,
  bytes: Buffer.from(content),
});
const folderOf = (path: string, mode = 0o755): ChartEntry => ({
  path,
  type: 'directory',
  mode,
  bytes: new Uint8Array(),
});
const pathsOf = (entries: readonly ChartEntry[]): string[] =>
  entries.map(({ path, type }) => (type === 'file' ? path : `${path}/`));

test('a tree is in the order of a walk, with the folders that its paths imply', () => {
  const tree = buildChartTree([fileOf('a-b'), fileOf('a/z/y'), fileOf('a/b'), fileOf('Z'), folderOf('empty', 0o700)]);
  assert.deepEqual(pathsOf(tree), ['Z', 'a/', 'a/b', 'a/z/', 'a/z/y', 'a-b', 'empty/']);
  assert.equal(tree.at(-1)?.mode, 0o700);
});

test('of entries with one path the last counts', () => {
  const tree = buildChartTree([fileOf('a', 'old'), folderOf('d', 0o700), fileOf('d/x'), fileOf('a', 'new')]);
  assert.equal(String(findChartFile(tree, 'a')?.bytes), 'new');
  assert.deepEqual(pathsOf(tree), ['a', 'd/', 'd/x']);
  assert.equal(tree[1]?.mode, 0o700);
});

test('a path cannot be a file and a folder', () => {
  assert.throws(() => buildChartTree([fileOf('a'), fileOf('a/b')]), { code: 'DT_CHART_INVALID' });
  assert.throws(() => buildChartTree([fileOf('a/b/c'), fileOf('a/b')]), { code: 'DT_CHART_INVALID' });
});

test('implied folders count', () => {
  const entries = Array.from({ length: MAX_CHART_ENTRIES - 1 }, (_, number) => fileOf(`f${String(number)}`));
  assert.throws(() => buildChartTree([...entries, fileOf('a/b/c')]), { code: 'DT_LIMIT_EXCEEDED' });
});

test('a subtree has paths of its own', () => {
  const tree = buildChartTree([fileOf('charts/a/b', 'xy'), fileOf('charts/ab', 'z'), fileOf('c')]);
  assert.deepEqual(pathsOf(subtreeOf(tree, 'charts/a')), ['b']);
  assert.equal(chartTreeSizeBytes(tree), 3);
});
