import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestHex, digestOf } from '../../src/domain/oci/digest.ts';
import { editJson, assembleWrap, makeHonestWrap, takeApart, type WrapPiece } from '../support/hostile-wraps.ts';
import { randomBytesOf } from '../support/images.ts';
import { assertDamaged } from '../support/verify-wrap.ts';

interface Document {
  blobs: { digest: string; size: number; path: string }[];
}

const EVIL = randomBytesOf('evil', 90_000);

async function takeLargeBlob(): Promise<{ pieces: WrapPiece[]; blob: WrapPiece }> {
  const pieces = await takeApart(await makeHonestWrap());
  const blob = pieces.find(({ header, content }) => header.name.includes('/blobs/') && content.length > 80_000);
  assert.ok(blob !== undefined);
  return { pieces, blob };
}

test('another blob under the name of one is found', async () => {
  const { pieces, blob } = await takeLargeBlob();
  const content = EVIL.subarray(0, blob.content.length);
  const wrap = await assembleWrap(pieces.map((piece) => (piece === blob ? { ...blob, content } : piece)));
  await assertDamaged(wrap, { code: 'DT_DIGEST_MISMATCH', entry: blob.header.name, image: 'library/multi:1.0' });
});

test('another blob is found although table of contents, wrap.json and its own name fit it', async () => {
  const { pieces, blob } = await takeLargeBlob();
  const digest = digestOf(EVIL);
  const name = blob.header.name.replace(/[a-f0-9]{64}$/, digestHex(digest));
  const replaced = pieces.map((piece) =>
    piece === blob ? { header: { ...blob.header, name }, content: EVIL } : piece,
  );
  const listed = editJson(replaced, '/.dt/wrap.json', (document) => {
    const { blobs } = document as unknown as Document;
    for (const item of blobs)
      if (item.path === blob.header.name) Object.assign(item, { digest, size: EVIL.length, path: name });
  });
  // Its manifest asks for the one that is gone.
  const error = await assertDamaged(await assembleWrap(listed), {
    code: 'DT_WRAP_INCOMPLETE',
    image: 'library/multi:1.0',
  });
  assert.ok(
    error.failures.some((failure) => failure.digest?.endsWith(/[a-f0-9]{64}$/.exec(blob.header.name)?.[0] ?? '?')),
  );
});

test('a wrap.json that gives a blob the digest of what it was replaced with is found', async () => {
  const { pieces, blob } = await takeLargeBlob();
  const replaced = pieces.map((piece) => (piece === blob ? { ...blob, content: EVIL } : piece));
  const listed = editJson(replaced, '/.dt/wrap.json', (document) => {
    const { blobs } = document as unknown as Document;
    for (const item of blobs)
      if (item.path === blob.header.name) Object.assign(item, { digest: digestOf(EVIL), size: EVIL.length });
  });
  await assertDamaged(await assembleWrap(listed), { code: 'DT_DIGEST_MISMATCH', entry: blob.header.name });
});

test('a size in wrap.json that is not that of the blob is found', async () => {
  const { pieces, blob } = await takeLargeBlob();
  const listed = editJson(pieces, '/.dt/wrap.json', (document) => {
    const { blobs } = document as unknown as Document;
    for (const item of blobs) if (item.path === blob.header.name) item.size -= 1;
  });
  await assertDamaged(await assembleWrap(listed), {
    code: 'DT_SIZE_MISMATCH',
    entry: blob.header.name,
    image: 'library/multi:1.0',
  });
});
