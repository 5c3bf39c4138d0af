import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip, gzipSync } from 'node:zlib';
import { encodeTarHeader, tarPaddingBytes } from '../../../src/archive/tar-header.ts';
import { readTarEntries, type ReadTarOptions, type TarEntryHandler } from '../../../src/archive/unpack-tar.ts';

const OPTIONS: ReadTarOptions = {
  name: 'test.tar',
  limits: { maxEntries: 100, maxTotalBytes: 10_000_000 },
  truncatedCode: 'DT_WRAP_TRUNCATED',
  invalidCode: 'DT_WRAP_INVALID',
};
const END = Buffer.alloc(1024);

function fileOf(path: string, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const header = encodeTarHeader({ path, type: 'file', mode: 0o644, sizeBytes: bytes.length, mtimeSeconds: 0 });
  return Buffer.concat([header, bytes, Buffer.alloc(tarPaddingBytes(bytes.length))]);
}
function linkOf(path: string, linkTarget: string): Buffer {
  return encodeTarHeader({ path, type: 'link', mode: 0o644, sizeBytes: 0, linkTarget, mtimeSeconds: 0 });
}
const folderOf = (path: string): Buffer =>
  encodeTarHeader({ path, type: 'directory', mode: 0o755, sizeBytes: 0, mtimeSeconds: 0 });

/** A stream in pieces of the given size, so that headers are cut in all places. */
function streamOf(tar: Buffer, pieceBytes = 100): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < tar.length; at += pieceBytes) pieces.push(tar.subarray(at, at + pieceBytes));
  return Readable.from(pieces, { objectMode: false });
}
const read = (
  tar: Buffer,
  onEntry: TarEntryHandler = () => undefined,
  options: Partial<ReadTarOptions> = {},
): Promise<void> => readTarEntries(streamOf(tar), { ...OPTIONS, ...options }, onEntry);

test('entries come in order with their content, one after the other', async () => {
  const large = Buffer.alloc(300_000, 'x');
  const tar = Buffer.concat([
    fileOf('./a//b', 'hello'),
    folderOf('d/'),
    fileOf('large', large),
    fileOf('empty', ''),
    fileOf('last', 'end'),
    END,
  ]);
  const seen: string[] = [];
  let running = 0;
  await read(tar, async (entry, content) => {
    running += 1;
    assert.equal(running, 1);
    const bytes = await buffer(content);
    await sleep(1);
    running -= 1;
    seen.push(`${entry.type} ${entry.path} ${String(entry.sizeBytes)} ${String(bytes.length)}`);
  });
  assert.deepEqual(seen, [
    'file a/b 5 5',
    'directory d 0 0',
    'file large 300000 300000',
    'file empty 0 0',
    'file last 3 3',
  ]);
});

test('content that is not read, or in part, is skipped', async () => {
  const tar = Buffer.concat([
    fileOf('a', Buffer.alloc(500_000)),
    fileOf('b', Buffer.alloc(500_000)),
    fileOf('c', 'see'),
    END,
  ]);
  let last = '';
  await read(tar, async ({ path }, content) => {
    if (path === 'b') await new Promise((resolve) => content.once('data', resolve));
    if (path === 'c') last = await text(content);
  });
  assert.equal(last, 'see');
});

test('what the handler throws comes out as it is, and nothing more is read', async () => {
  const problem = new Error('mine');
  let calls = 0;
  const tar = Buffer.concat([fileOf('a', 'x'), fileOf('b', 'x'), END]);
  await assert.rejects(
    read(tar, () => {
      calls += 1;
      throw problem;
    }),
    problem,
  );
  assert.equal(calls, 1);
});

test('what the source throws comes out as it is', async () => {
  const problem = Object.assign(new Error('disk'), { code: 'EIO' });
  const source = Readable.from(
    (function* () {
      yield fileOf('a', 'x');
      throw problem;
    })(),
    { objectMode: false },
  );
  await assert.rejects(
    readTarEntries(source, OPTIONS, () => undefined),
    problem,
  );
});

test('hard links are refused unless they are asked for', async () => {
  const tar = Buffer.concat([fileOf('a', 'x'), linkOf('b', './a'), END]);
  await assert.rejects(read(tar), { code: 'DT_UNSAFE_ENTRY' });
  const targets: string[] = [];
  await read(
    tar,
    ({ type, linkTarget }) => {
      if (type === 'link') targets.push(linkTarget);
    },
    {
      allowHardLinks: true,
    },
  );
  assert.deepEqual(targets, ['a']);
  const outward = Buffer.concat([linkOf('b', '../../etc/passwd'), END]);
  await assert.rejects(read(outward, undefined, { allowHardLinks: true }), { code: 'DT_UNSAFE_ENTRY' });
});

test('a tar that is cut anywhere is refused', async () => {
  const tar = Buffer.concat([fileOf('a', 'x'.repeat(700)), fileOf('b'.repeat(200), 'y'), END]);
  for (let length = 1; length < tar.length; length += 101) {
    const code = 'DT_WRAP_TRUNCATED';
    await assert.rejects(
      read(tar.subarray(0, length), undefined, { requireEndMark: true }),
      { code },
      `cut at ${String(length)}`,
    );
  }
  await read(tar, undefined, { requireEndMark: true });
});

test('without its end mark a tar passes only if none is required', async () => {
  const tar = fileOf('a', 'x');
  await read(tar);
  await assert.rejects(read(tar, undefined, { requireEndMark: true }), { code: 'DT_WRAP_TRUNCATED' });
  await assert.rejects(read(Buffer.alloc(0), undefined, { requireEndMark: true }), { code: 'DT_WRAP_TRUNCATED' });
});

test('a cut gzip stream is told from a damaged one', async () => {
  const random = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251));
  const packed = gzipSync(Buffer.concat([fileOf('a', random), END]));
  const unzip = (bytes: Buffer): Promise<void> =>
    readTarEntries(streamOf(bytes).pipe(createGunzip()), OPTIONS, () => undefined);
  await unzip(packed);
  await assert.rejects(unzip(packed.subarray(0, packed.length / 2)), { code: 'DT_WRAP_TRUNCATED' });
  await assert.rejects(unzip(Buffer.from('no gzip at all')), { code: 'DT_WRAP_INVALID' });
  await assert.rejects(read(Buffer.alloc(2048, 'no tar at all')), { code: 'DT_WRAP_INVALID' });
});

test('limits hold', async () => {
  const tar = Buffer.concat([fileOf('a', 'xx'), fileOf('b', 'xx'), END]);
  await read(tar, undefined, { limits: { maxEntries: 2, maxTotalBytes: 4 } });
  for (const limits of [
    { maxEntries: 1, maxTotalBytes: 4 },
    { maxEntries: 2, maxTotalBytes: 3 },
  ]) {
    await assert.rejects(read(tar, undefined, { limits }), { code: 'DT_LIMIT_EXCEEDED' });
  }
});
