import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleWrap, editJson, makeHonestWrap, piece, takeApart, type WrapPiece } from '../support/hostile-wraps.ts';
import { randomBytesOf } from '../support/images.ts';
import { digestHex, digestOf } from '../../src/domain/oci/digest.ts';
import { assertStreamRefused, largeBlobsOf } from '../support/stream-wraps.ts';

const TOP = 'demo-1.2.3';

type Blobs = { digest: string; size: number; path?: string; mediaType: string }[];

async function honestPieces(): Promise<WrapPiece[]> {
  return takeApart(await makeHonestWrap());
}

function isSmallBlob({ header, content }: WrapPiece): boolean {
  return header.name.includes('/blobs/') && header.type !== 'link' && content.length < 64 * 1024;
}

function withoutLinks(pieces: readonly WrapPiece[], to: WrapPiece): WrapPiece[] {
  return pieces.filter(({ header }) => header.linkname !== to.header.name);
}

function replace(pieces: readonly WrapPiece[], changed: ReadonlyMap<WrapPiece, WrapPiece | undefined>): WrapPiece[] {
  return pieces.flatMap((item) =>
    changed.has(item) ? [changed.get(item)].filter((next) => next !== undefined) : [item],
  );
}

test('two large blobs under the names of each other are refused', async () => {
  const pieces = await honestPieces();
  const [first, second] = largeBlobsOf(pieces);
  assert.ok(first !== undefined && second !== undefined);
  const swapped = new Map([
    [first, { ...first, content: second.content }],
    [second, { ...second, content: first.content }],
  ]);
  await assertStreamRefused(await assembleWrap(replace(pieces, swapped)), ['DT_DIGEST_MISMATCH', 'DT_SIZE_MISMATCH']);
});

test('a large blob with other bytes of the same number is refused', async () => {
  const pieces = await honestPieces();
  for (const blob of largeBlobsOf(pieces)) {
    const forged = { ...blob, content: randomBytesOf('forged', blob.content.length) };
    await assertStreamRefused(await assembleWrap(replace(pieces, new Map([[blob, forged]]))), ['DT_DIGEST_MISMATCH']);
  }
});

test('a blob that comes twice is refused', async () => {
  const pieces = await honestPieces();
  const [blob] = largeBlobsOf(pieces);
  assert.ok(blob !== undefined);
  await assertStreamRefused(await assembleWrap([...pieces, blob]), ['DT_UNSAFE_ENTRY']);
});

test('a listed blob that never comes is missed at the end, and a small one at once', async () => {
  const pieces = await honestPieces();
  const [blob] = largeBlobsOf(pieces);
  const small = pieces.find(isSmallBlob);
  assert.ok(blob !== undefined && small !== undefined);
  for (const lost of [blob, small]) {
    await assertStreamRefused(await assembleWrap(withoutLinks(replace(pieces, new Map([[lost, undefined]])), lost)), [
      'DT_WRAP_INCOMPLETE',
    ]);
  }
});

test('a blob that wrap.json lists beside those that come is missed', async () => {
  const content = randomBytesOf('absent', 70_000);
  const path = `${TOP}/images/${'a'.repeat(64)}.layout/blobs/sha256/${digestHex(digestOf(content))}`;
  const forged = editJson(await honestPieces(), '/.dt/wrap.json', (document) => {
    (document['blobs'] as Blobs).push({ digest: digestOf(content), size: content.length, path, mediaType: 'a/b' });
    return document;
  });
  await assertStreamRefused(await assembleWrap(forged), ['DT_WRAP_INCOMPLETE']);
});

test('a blob that nobody lists is refused, whether it is small or large', async () => {
  const pieces = await honestPieces();
  for (const sizeBytes of [100, 70_000]) {
    const content = randomBytesOf('unlisted', sizeBytes);
    const path = `${TOP}/images/${'a'.repeat(64)}.layout/blobs/sha256/${digestHex(digestOf(content))}`;
    await assertStreamRefused(await assembleWrap([...pieces, piece(path, content)]), ['DT_WRAP_INVALID']);
  }
});

test('an entry of which a wrap says nothing is refused', async () => {
  const pieces = await honestPieces();
  for (const path of [`${TOP}/extra.txt`, 'other/chart/Chart.yaml', `${TOP}/images/extra`]) {
    await assertStreamRefused(await assembleWrap([...pieces, piece(path, 'x')]), ['DT_WRAP_INVALID']);
  }
});

test('a listed blob that has another size than wrap.json says is refused', async () => {
  const forged = editJson(await honestPieces(), '/.dt/wrap.json', (document) => {
    for (const blob of document['blobs'] as Blobs) if (blob.size > 64 * 1024) blob.size += 1;
    return document;
  });
  await assertStreamRefused(await assembleWrap(forged), ['DT_SIZE_MISMATCH']);
});

test('a manifest, a file of the chart or a small blob behind the large blobs is refused', async () => {
  const pieces = await honestPieces();
  const late = [
    pieces.find(isSmallBlob),
    pieces.findLast(isSmallBlob),
    pieces.find(({ header }) => header.name.endsWith('chart/values.yaml')),
    pieces.find(({ header }) => header.name.endsWith('chart/Images.lock')),
    pieces.find(({ header }) => header.name.endsWith('/.dt/wrap.json')),
  ];
  for (const item of late) {
    assert.ok(item !== undefined);
    const moved = [...replace(pieces, new Map([[item, undefined]])), { ...item, isLarge: true }];
    await assertStreamRefused(await assembleWrap(moved), [
      'DT_WRAP_INVALID',
      'DT_WRAP_INCOMPLETE',
      'DT_WRAP_UNSUPPORTED',
    ]);
  }
});

test('a link is refused that leads to nothing, to another blob, or from no blob', async () => {
  const pieces = await honestPieces();
  const [first, second] = largeBlobsOf(pieces);
  assert.ok(first !== undefined && second !== undefined);
  const copyOf = (blob: WrapPiece): string =>
    `${TOP}/images/${'b'.repeat(64)}.layout/${blob.header.name.slice(blob.header.name.indexOf('blobs/'))}`;
  const links = [
    { name: copyOf(first), linkname: `${TOP}/images/missing` },
    { name: copyOf(first), linkname: second.header.name },
    { name: `${TOP}/chart/values2.yaml`, linkname: first.header.name },
  ];
  for (const { name, linkname } of links) {
    const link = { header: { name, type: 'link' as const, linkname, mode: 0o644 }, content: Buffer.alloc(0) };
    await assertStreamRefused(await assembleWrap([...pieces, link]), ['DT_WRAP_INVALID']);
  }
});

test('a table of contents, or a footer, that tells something else is refused', async () => {
  const pieces = await honestPieces();
  const lies = [
    { editToc: () => [] },
    { editToc: (members: readonly unknown[]) => members.toReversed() },
    { editToc: (members: readonly (readonly unknown[])[]) => members.map(([offset, length]) => [offset, length]) },
    { editFooter: () => 0 },
    { editFooter: (offset: number) => offset + 1 },
    { editFooter: () => Number.MAX_SAFE_INTEGER },
  ];
  for (const lie of lies) await assertStreamRefused(await assembleWrap(pieces, lie), ['DT_WRAP_INVALID']);
});

test('a wrap of another tool is refused by its first entry, with a way out', async () => {
  const pieces = (await honestPieces()).filter(({ header }) => !header.name.includes('/.dt/'));
  await assertStreamRefused(await assembleWrap(pieces, { isPlain: true }), ['DT_WRAP_UNSUPPORTED']);
});
