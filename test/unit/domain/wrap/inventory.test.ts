import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import {
  buildInventory,
  formatInventory,
  isInventory,
  MAX_INVENTORY_BYTES,
  MAX_INVENTORY_REPOSITORIES,
  parseInventory,
} from '../../../../src/domain/wrap/inventory.ts';

const [A, B] = [digestOf('a'), digestOf('b')];
const INVENTORY = buildInventory(
  'registry.example:5000',
  [
    { name: 'z/last', tags: { two: A, one: B }, blobs: [A, B].sort().reverse() },
    { name: 'a/first', tags: { ['__proto__']: A }, blobs: [A] },
  ],
  new Map([
    [B, 2],
    [A, 1],
  ]),
);

test('an inventory is sorted, and read as it was written', () => {
  const text = formatInventory(INVENTORY);
  const parsed = parseInventory(Buffer.from(text), 'i.json');
  assert.deepEqual(parsed, INVENTORY);
  assert.equal(formatInventory(parsed), text);
  assert.deepEqual(
    parsed.repositories.map(({ name }) => name),
    ['a/first', 'z/last'],
  );
  assert.deepEqual(parsed.repositories[1]?.blobs, [A, B].sort());
  assert.deepEqual(Object.keys(parsed.repositories[1].tags), ['one', 'two']);
  assert.deepEqual(Object.keys(parsed.sizes), [A, B].sort());
  assert.ok(isInventory(Buffer.from(text)));
  assert.ok(!isInventory(Buffer.from('apiVersion: v0\nkind: ImagesLock\n')));
});

for (const [what, edit] of [
  ['another kind', { kind: 'ImagesLock' }],
  ['another version', { version: 2 }],
  ['a registry that is none', { registry: 'https://x/' }],
  ['a list of repositories that is none', { repositories: {} }],
  ['a name that is none', { repositories: [{ name: '../x', tags: {}, blobs: [] }] }],
  ['a tag that is none', { repositories: [{ name: 'x', tags: { 'a b': A }, blobs: [] }] }],
  ['a tag without digest', { repositories: [{ name: 'x', tags: { a: 'sha256:1' }, blobs: [] }] }],
  ['a digest that is none', { repositories: [{ name: 'x', tags: {}, blobs: ['sha256:1'] }] }],
  ['a blob without size', { repositories: [{ name: 'x', tags: {}, blobs: [digestOf('c')] }] }],
  ['a size that is none', { sizes: { [A]: -1, [B]: 1 } }],
  ['a size under no digest', { sizes: { ...INVENTORY.sizes, x: 1 } }],
] as const) {
  test(`an inventory with ${what} is refused`, () => {
    const bytes = Buffer.from(JSON.stringify({ ...INVENTORY, ...edit }));
    assert.throws(() => parseInventory(bytes, 'i.json'), { code: 'DT_INVENTORY_INVALID' });
  });
}

test('what is no JSON, or too much of it, is refused', () => {
  assert.throws(() => parseInventory(Buffer.from('{"kind"'), 'i.json'), { code: 'DT_INVENTORY_INVALID' });
  assert.throws(() => parseInventory(Buffer.from([0x22, 0xff, 0x22]), 'i.json'), { code: 'DT_INVENTORY_INVALID' });
  const flood = [
    Buffer.alloc(MAX_INVENTORY_BYTES + 1, ' '),
    Buffer.from(`[${'[],'.repeat(1_000_000)}[]]`),
    Buffer.from(JSON.stringify({ ...INVENTORY, repositories: new Array(MAX_INVENTORY_REPOSITORIES + 1).fill(0) })),
  ];
  for (const bytes of flood) assert.throws(() => parseInventory(bytes, 'i.json'), { code: 'DT_LIMIT_EXCEEDED' });
});
