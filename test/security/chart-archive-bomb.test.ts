import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { encodeTarHeader } from '../../src/archive/tar-header.ts';
import { MAX_CHART_BYTES, MAX_CHART_ENTRIES } from '../../src/domain/chart/chart-tree.ts';
import { makeHostileChart } from './hostile-tar.ts';

const MAX_RESIDENT_GROWTH_BYTES = 64 * 1024 * 1024;
const headerOf = (path: string, sizeBytes = 0): Buffer =>
  encodeTarHeader({ path, type: 'file', mode: 0o644, sizeBytes, mtimeSeconds: 0 });

test('a file that says that it is too large is refused before its content is read', async () => {
  const archive = gzipSync(headerOf('c/big', MAX_CHART_BYTES + 1));
  await assert.rejects(unpackChartArchive(archive, 'c.tgz'), { code: 'DT_LIMIT_EXCEEDED' });
});

test('many files that are too large together are refused', async () => {
  const half = { type: 'file', content: Buffer.alloc(MAX_CHART_BYTES / 2) } as const;
  const archive = await makeHostileChart({ name: 'c/1', ...half }, { name: 'c/2', ...half });
  assert.ok(archive.length < 1_000_000, 'it is small while packed');
  await assert.rejects(unpackChartArchive(archive, 'c.tgz'), { code: 'DT_LIMIT_EXCEEDED' });
});

test('too many entries are refused', async () => {
  const headers = Array.from({ length: MAX_CHART_ENTRIES + 1 }, (_, number) => headerOf(`c/${String(number)}`));
  await assert.rejects(unpackChartArchive(gzipSync(Buffer.concat(headers)), 'c.tgz'), { code: 'DT_LIMIT_EXCEEDED' });
});

test('empty blocks without end are refused, and need no memory', async () => {
  const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const archive = Buffer.concat([gzipSync(headerOf('c/a')), ...Array<Buffer>(8).fill(zeros)]);
  const before = process.memoryUsage().rss;
  await assert.rejects(unpackChartArchive(archive, 'c.tgz'), { code: 'DT_LIMIT_EXCEEDED' });
  assert.ok(process.memoryUsage().rss - before < MAX_RESIDENT_GROWTH_BYTES);
});

test('deep paths cannot multiply into folders without end', async () => {
  const headers = Array.from({ length: 100 }, (_, number) => headerOf(`c/${String(number)}/${'d/'.repeat(1000)}f`));
  await assert.rejects(unpackChartArchive(gzipSync(Buffer.concat(headers)), 'c.tgz'), { code: 'DT_LIMIT_EXCEEDED' });
});
