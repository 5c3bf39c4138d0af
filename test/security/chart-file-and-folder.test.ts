import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { makeHostileChart } from './hostile-tar.ts';

test('a path that is a file for one reader and a folder for the next is refused', async () => {
  const archive = await makeHostileChart({ name: 'c/a', content: 'x' }, { name: 'c/a/b', content: 'x' });
  await assert.rejects(unpackChartArchive(archive, 'c.tgz'), { code: 'DT_CHART_INVALID' });
});
