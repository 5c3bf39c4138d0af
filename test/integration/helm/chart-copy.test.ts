import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ChartTree } from '../../../src/domain/chart/chart-tree.ts';
import { systemErrorCode } from '../../../src/domain/errors.ts';
import { ChartCopy } from '../../../src/helm/chart-copy.ts';
import { catchError } from '../../support/assert-refused.ts';
import { chartTreeOf } from '../../support/chart-tree.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function assertHolds(files: Readonly<Record<string, string>>): Promise<void> {
  assert.deepEqual((await readdir(folder)).sort(), Object.keys(files));
  for (const [name, text] of Object.entries(files)) assert.equal(await readFile(join(folder, name), 'utf8'), text);
}

describe('ChartCopy', () => {
  it('holds one tree and nothing of another, also after one that could not be written', async () => {
    const copy = new ChartCopy(folder);
    const first = { 'a.yaml': 'first', 'only-first.yaml': 'x' };
    const tree: ChartTree = chartTreeOf(first);
    await copy.write(tree);
    await assertHolds(first);
    // A file that no disk has room for.
    await symlink('/dev/full', join(folder, 'full.yaml'));
    const failing = chartTreeOf({ 'a.yaml': 'second', 'b.yaml': 'x', 'full.yaml': 'x' });
    assert.ok(systemErrorCode(await catchError(copy.write(failing))));
    assert.deepEqual((await readdir(folder)).sort(), ['a.yaml', 'b.yaml', 'full.yaml']);
    await copy.write(tree);
    await assertHolds(first);
  });
});
