import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decodeTarHeader } from '../../../src/archive/tar-header.ts';
import { encodeUstarHeader } from '../../../src/archive/ustar-header.ts';
import { GOLDEN_ROOT } from '../../support/golden.ts';

const TAR = join(GOLDEN_ROOT, 'imgpkg/copy-to-tar/output/guestbook-bundle.tar');

describe('encodeUstarHeader', () => {
  test('gives the bytes of every header of a tar of imgpkg', async () => {
    const tar = await readFile(TAR);
    let count = 0;
    for (let at = 0; ; count++) {
      const header = decodeTarHeader(tar.subarray(at));
      if (header === undefined) break;
      const { path, mode, sizeBytes } = header;
      assert.deepEqual(encodeUstarHeader({ path, mode, sizeBytes, type: 'file' }), tar.subarray(at, at + 512), path);
      at += 512 + Math.ceil(sizeBytes / 512) * 512;
    }
    assert.equal(count, 13);
  });

  for (const path of ['a', 'folder', `${'p'.repeat(60)}/${'n'.repeat(90)}`, `${'p/'.repeat(70)}${'n'.repeat(100)}`]) {
    test(`is read back: ${path.slice(0, 20)}, ${String(path.length)} characters`, () => {
      const header = encodeUstarHeader({ path, type: 'file', mode: 0o755, sizeBytes: 123 });
      assert.equal(header.length, 512);
      const read = decodeTarHeader(header);
      assert.deepEqual([read?.path, read?.mode, read?.sizeBytes, read?.type], [path, 0o755, 123, 'file']);
    });
  }

  test('a folder has no slash behind its name', () => {
    const header = encodeUstarHeader({ path: 'folder', type: 'directory', mode: 0o700, sizeBytes: 0 });
    assert.equal(header.toString('latin1', 0, 8), 'folder\u0000\u0000');
    assert.equal(decodeTarHeader(header)?.type, 'directory');
  });

  for (const [what, entry] of [
    ['a name that is too long', { path: 'n'.repeat(101), sizeBytes: 1 }],
    ['a name with other letters', { path: 'größe', sizeBytes: 1 }],
    ['a file of more than 8 GiB', { path: 'large', sizeBytes: 8 ** 11 }],
  ] as const) {
    test(`${what} gets a PAX record or what the library has for it`, () => {
      const header = encodeUstarHeader({ ...entry, type: 'file', mode: 0o600 });
      const read = decodeTarHeader(header);
      assert.deepEqual([read?.path, read?.sizeBytes], [entry.path, entry.sizeBytes]);
    });
  }
});
