import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChartEntry, ChartTree } from '../../../../src/domain/chart/chart-tree.ts';
import type { RelocationChange } from '../../../../src/domain/relocation/relocation-change.ts';
import { shareEdits } from '../../../../src/domain/relocation/share-edits.ts';

/** `PATH` or `PATH REAL-PATH`, all with the same content. */
function treeOf(...names: readonly string[]): ChartTree {
  return names.map((name): ChartEntry => {
    const [path = '', sharedFile] = name.split(' ');
    const entry = { path, type: 'file' as const, mode: 0o644, bytes: Buffer.from('old') };
    return sharedFile === undefined ? entry : { ...entry, sharedFile };
  });
}

/** The tree with other contents, and a change for each of their characters. */
function edit(tree: ChartTree, texts: Readonly<Record<string, string>>): [ChartTree, RelocationChange[]] {
  return [
    tree.map((entry) => ({
      ...entry,
      bytes: entry.path in texts ? Buffer.from(texts[entry.path] ?? '') : entry.bytes,
    })),
    Object.entries(texts).flatMap(([file, text]) =>
      Array.from(text, (to, line): RelocationChange => ({ file, line, path: 'x', from: 'old', to })),
    ),
  ];
}

function share(tree: ChartTree, texts: Readonly<Record<string, string>>): Record<string, string | string[]> {
  const shared = shareEdits(tree, ...edit(tree, texts));
  return {
    ...Object.fromEntries(shared.tree.map(({ path, bytes }) => [path, String(bytes)])),
    changes: shared.changes.map(({ file, to }) => `${file} ${to}`),
  };
}

test('an edit of one path is one of all, and reported once', () => {
  const tree = treeOf('a.yaml', 'link b.yaml', 'b.yaml b.yaml', 'other c', 'c c');
  assert.deepEqual(share(tree, { link: 'N' }), {
    'a.yaml': 'old',
    link: 'N',
    'b.yaml': 'N',
    other: 'old',
    c: 'old',
    changes: ['link N'],
  });
  assert.deepEqual(share(tree, { link: 'N', 'b.yaml': 'N', 'a.yaml': 'A' })['changes'], ['b.yaml N', 'a.yaml A']);
});

test('of edits that differ the larger one counts', () => {
  const tree = treeOf('charts/a.tgz real.tgz', 'charts/b.tgz real.tgz', 'real.tgz real.tgz');
  const [edited] = edit(tree, { 'charts/a.tgz': 'A', 'charts/b.tgz': 'B' });
  const changes = ['a.tgz/x', 'b.tgz/x', 'b.tgz/y'].map((name) => ({
    file: `charts/${name}`,
    line: 1,
    path: '',
    from: '',
    to: '',
  }));
  const shared = shareEdits(tree, edited, changes);
  assert.deepEqual(
    shared.tree.map(({ bytes }) => String(bytes)),
    ['B', 'B', 'B'],
  );
  assert.deepEqual(shared.changes, changes.slice(1));
});

test('a tree without edits behind links stays the same object', () => {
  const tree = treeOf('a', 'link b', 'b b');
  const [edited, changes] = edit(tree, { a: 'N' });
  assert.equal(shareEdits(tree, edited, changes).tree, edited);
});
