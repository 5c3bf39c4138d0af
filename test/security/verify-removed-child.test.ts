import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/domain/oci/digest.ts';
import {
  assembleWrap,
  editEntry,
  editJson,
  makeHonestWrap,
  takeApart,
  type WrapPiece,
} from '../support/hostile-wraps.ts';
import { assertDamaged } from '../support/verify-wrap.ts';

interface Document {
  blobs: { digest: string; mediaType: string; path: string }[];
  images: { reference: string; digest: string; platforms: { digest: string }[] }[];
}

const IMAGE = 'library/multi:1.0';

async function takeMulti(): Promise<{ pieces: WrapPiece[]; root: string; child: string }> {
  const pieces = await takeApart(await makeHonestWrap());
  const text = pieces.find(({ header }) => header.name.endsWith('/.dt/wrap.json'))?.content.toString() ?? '';
  const image = (JSON.parse(text) as Document).images.find(({ reference }) => reference.endsWith(IMAGE));
  const [root, child] = [image?.digest, image?.platforms[1]?.digest];
  assert.ok(root !== undefined && child !== undefined);
  return { pieces, root, child };
}

/** The parts without a platform: without its blobs, and without it in wrap.json, where the images become what `editImage` makes of them. */
function dropChild(
  pieces: readonly WrapPiece[],
  child: string,
  editImage: (image: Document['images'][number]) => object,
): WrapPiece[] {
  const without = pieces.filter(({ header }) => !header.name.includes(child.slice(7)));
  return editJson(without, '/.dt/wrap.json', (document) => {
    const { blobs, images } = document as unknown as Document;
    return { ...document, blobs: blobs.filter(({ digest }) => digest !== child), images: images.map(editImage) };
  });
}

test('an index that lost an entry is found', async () => {
  const { pieces, root } = await takeMulti();
  const edited = editEntry(pieces, root.slice(7), (content) => {
    const index = JSON.parse(content.toString()) as { manifests: unknown[] };
    return JSON.stringify({ ...index, manifests: index.manifests.slice(0, 1) });
  });
  await assertDamaged(await assembleWrap(edited), { code: 'DT_SIZE_MISMATCH', entry: root.slice(7), image: IMAGE });
});

test('a platform that is gone from archive, wrap.json and lock is found by its index', async () => {
  const { pieces, child } = await takeMulti();
  const listed = dropChild(pieces, child, (image) => ({
    ...image,
    platforms: image.platforms.filter(({ digest }) => digest !== child),
  }));
  const locked = editEntry(listed, '/chart/Images.lock', (content) =>
    content.toString().replace(new RegExp(`\\n *- digest: ${child}\\n *arch: \\S+`), ''),
  );
  const error = await assertDamaged(await assembleWrap(locked), { code: 'DT_WRAP_INCOMPLETE', image: IMAGE });
  assert.ok(error.failures.some(({ digest }) => digest === child));
});

test('an image that is said to be filtered must still have what its lock names', async () => {
  const { pieces, child } = await takeMulti();
  const listed = dropChild(pieces, child, (image) => ({ ...image, isFiltered: true }));
  const error = await assertDamaged(await assembleWrap(listed), { code: 'DT_LOCK_MISMATCH', image: IMAGE });
  assert.ok(error.failures.some(({ digest }) => digest === child));
});

test('an image whose content wrap.json does not name is found', async () => {
  const { pieces } = await takeMulti();
  const listed = editJson(pieces, '/.dt/wrap.json', (document) => {
    for (const image of (document as unknown as Document).images) {
      if (image.reference.endsWith(IMAGE)) Reflect.deleteProperty(image, 'digest');
    }
  });
  await assertDamaged(await assembleWrap(listed), { code: 'DT_WRAP_INCOMPLETE', image: IMAGE });
});

test('a layout that names another manifest is found', async () => {
  const { pieces, root, child } = await takeMulti();
  const edited = editEntry(pieces, `${root.slice(7)}.layout/index.json`, (content) =>
    content.toString().replace(root, child),
  );
  await assertDamaged(await assembleWrap(edited), {
    code: 'DT_WRAP_INVALID',
    entry: `${root.slice(7)}.layout/index.json`,
  });
});

test('a layout that lacks a blob of its image is found', async () => {
  const { pieces, child } = await takeMulti();
  const small = pieces.find(
    ({ header }) => header.name.includes(`${child.slice(7)}.layout/blobs/`) && header.type === 'link',
  );
  assert.ok(small !== undefined);
  await assertDamaged(await assembleWrap(pieces.filter((piece) => piece !== small)), {
    code: 'DT_WRAP_INCOMPLETE',
    image: IMAGE,
  });
});

test('a config that is gone from archive and wrap.json is found by its manifest', async () => {
  const { pieces } = await takeMulti();
  const config = pieces.find(({ content }) => content.length < 64 * 1024 && content.includes('"rootfs"'));
  const hex = /[a-f0-9]{64}$/.exec(config?.header.name ?? '')?.[0];
  assert.ok(hex !== undefined);
  const listed = editJson(
    pieces.filter(({ header }) => !header.name.endsWith(hex)),
    '/.dt/wrap.json',
    (document) => {
      const { blobs } = document as unknown as Document;
      return { ...document, blobs: blobs.filter(({ digest }) => !digest.endsWith(hex)) };
    },
  );
  const error = await assertDamaged(await assembleWrap(listed), { code: 'DT_WRAP_INCOMPLETE', image: ':1.0' });
  assert.ok(error.failures.some(({ digest }) => digest?.endsWith(hex)));
});

test('a layout of another version, or without the manifest that it names, is found', async () => {
  const { pieces, root } = await takeMulti();
  const layout = `${root.slice(7)}.layout`;
  const other = editEntry(pieces, `${layout}/oci-layout`, () => '{"imageLayoutVersion":"2.0.0"}');
  await assertDamaged(await assembleWrap(other), { code: 'DT_WRAP_INVALID', entry: `${layout}/oci-layout` });
  const [first] = pieces.filter(({ header }) => header.name.endsWith('.layout/index.json'));
  assert.ok(first !== undefined);
  const empty = 'demo-1.2.3/images/' + `${'a'.repeat(64)}.layout`;
  const added = ['index.json', 'oci-layout'].map((name) => ({
    header: { name: `${empty}/${name}` },
    content: Buffer.from(
      name === 'oci-layout'
        ? '{"imageLayoutVersion":"1.0.0"}'
        : first.content.toString().replace(/sha256:[a-f0-9]{64}/, `sha256:${'a'.repeat(64)}`),
    ),
  }));
  const wrap = await assembleWrap([...pieces, ...added]);
  await assertDamaged(wrap, { code: 'DT_WRAP_INCOMPLETE', entry: `${empty}/index.json` });
});

test('an image that belongs to a chart that is not there is found', async () => {
  const { pieces } = await takeMulti();
  const listed = editJson(pieces, '/.dt/wrap.json', (document) => {
    const { images } = document as unknown as Document;
    return { ...document, images: [...images, { ...images[0], folder: 'other-1.0.0' }] };
  });
  await assertDamaged(await assembleWrap(listed), { code: 'DT_LOCK_MISMATCH', image: ':1.0' });
});

test('a manifest that gives a blob another size is found', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const text = pieces.find(({ header }) => header.name.endsWith('/.dt/wrap.json'))?.content.toString() ?? '';
  const single = (JSON.parse(text) as Document).images.find(({ reference }) =>
    reference.endsWith('single:2.0'),
  )?.digest;
  const manifest = pieces.find(({ header }) => header.name.endsWith(`/blobs/sha256/${single?.slice(7) ?? ''}`));
  assert.ok(single !== undefined && manifest !== undefined);
  // Another last digit, so that the manifest keeps its own size.
  const forged = Buffer.from(
    manifest.content
      .toString()
      .replace(
        /("layers":\[\{[^}]*"size":\d*)(\d)/,
        (_, start: string, digit: string) => start + String((Number(digit) + 1) % 10),
      ),
  );
  const rename = (value: string): string => value.replaceAll(single.slice(7), digestOf(forged).slice(7));
  const renamed = pieces.map((piece) => ({
    header: { ...piece.header, name: rename(piece.header.name) },
    content:
      piece === manifest
        ? forged
        : piece.content.length < 64 * 1024
          ? Buffer.from(rename(piece.content.toString('latin1')), 'latin1')
          : piece.content,
  }));
  await assertDamaged(await assembleWrap(renamed), { code: 'DT_SIZE_MISMATCH', image: 'single:2.0' });
});
