import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatChecksums,
  MAX_PARTS,
  parseChecksums,
  parsePartPath,
  partPath,
  planPartLengths,
} from '../../../../src/domain/wrap/wrap-parts.ts';

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

test('a part has three digits behind the name of the whole', () => {
  assert.equal(partPath('a/b.wrap.tgz', 7), 'a/b.wrap.tgz.007');
  assert.equal(partPath('x', 999), 'x.999');
  assert.deepEqual(parsePartPath('a/b.wrap.tgz.007'), { whole: 'a/b.wrap.tgz', number: 7 });
  for (const path of ['b.wrap.tgz', 'b.wrap.tgz.7', 'b.wrap.tgz.0001', 'b.wrap.tgz.000', '.001', 'b.001.partial']) {
    assert.equal(parsePartPath(path), undefined, path);
  }
});

test('all parts have one length but for the last', () => {
  assert.deepEqual(planPartLengths(10, 4), [4, 4, 2]);
  assert.deepEqual(planPartLengths(8, 4), [4, 4]);
  assert.deepEqual(planPartLengths(3, 4), [3]);
  assert.equal(planPartLengths(MAX_PARTS * 4, 4).length, MAX_PARTS);
  assert.throws(() => planPartLengths(MAX_PARTS * 4 + 1, 4), { code: 'DT_USAGE' });
});

test('checksums are read by the numbers of the parts, whatever the parts were called', () => {
  const names = ['x.wrap.tgz.001', 'new\nline\\.002'];
  const text = formatChecksums(names.map((name, index) => ({ name, sha256: index === 0 ? A : B })));
  assert.equal(text, `${A}  x.wrap.tgz.001\n\\${B}  new\\nline\\\\.002\n`);
  assert.deepEqual(parseChecksums(text), [A, B]);
  assert.deepEqual(parseChecksums(`${B} *y.002\r\n${A} *y.001\r\n# other\n`), [A, B]);
  const refused = ['', 'x', `${A}  x.tgz`, `${A}  x.002`, `${A}  x.001\n${B}  x.001`, `${A}  x.001\n${B}  x.003`];
  for (const bad of refused) assert.equal(parseChecksums(bad), undefined, bad);
});
