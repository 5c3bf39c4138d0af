import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { createGzip } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { makeTar } from './hostile-tar.ts';
import { bundleLock, pushBundleLayer } from '../support/bundles.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { createSandbox } from '../support/sandbox.ts';

const UNPACKED_BYTES = 1.5 * 2 ** 30;
const PIECE = Buffer.alloc(1024 * 1024);

/** The header of a file that large, and its zeros: little more than a mebibyte when compressed. */
async function makeBomb(): Promise<Buffer> {
  const start = await makeTar([{ name: '.imgpkg/images.yml', content: bundleLock([]) }]);
  const header = (await makeTar([{ name: 'bomb', size: 0, content: '' }])).subarray(0, 512);
  header.write(UNPACKED_BYTES.toString(8).padStart(11, '0'), 124, 'latin1');
  header.write('        ', 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  const pieces = function* (): Generator<Buffer> {
    yield start.subarray(0, 1024);
    yield header;
    for (let at = 0; at < UNPACKED_BYTES; at += PIECE.length) yield PIECE;
    yield Buffer.alloc(1024);
  };
  return buffer(Readable.from(pieces(), { objectMode: false }).pipe(createGzip({ level: 9 })));
}

test('a layer that would fill the disk is refused before it does', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  const bomb = await makeBomb();
  assert.ok(bomb.length < 4 * 2 ** 20);
  await pushBundleLayer(registry.host, 'bomb', bomb);
  const { code, stderr } = await sandbox.run(['bundle', 'pull', '-b', `${registry.host}/bomb:1`, '-o', 'pulled']);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /DT_LIMIT_EXCEEDED/);
  assert.deepEqual(await readdir(sandbox.work), []);
});
