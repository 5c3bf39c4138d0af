import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { assertKeepRefused, forgeWrap, replaceBlob } from '../support/forged-wraps.ts';

const MIB = 1024 * 1024;

for (const [field, limitBytes] of [
  ['provenance', MIB],
  ['config', 4 * MIB],
] as const) {
  test(`a ${field} of a chart that is larger than it may be is refused`, async () => {
    const wrap = await forgeWrap('attached', (document, pieces) =>
      replaceBlob(document, pieces, document.charts[0]?.[field] ?? '', () => Buffer.alloc(limitBytes + 1)),
    );
    await assertWrapRefused(wrap, ['DT_LIMIT_EXCEEDED'], { throughProgram: false });
  });
}

test('an archive of a chart that is said to have 101 MiB is refused', async () => {
  const wrap = await forgeWrap('attached', (document) => {
    const blob = document.blobs.find(({ digest }) => digest === document.charts[0]?.archive);
    if (blob !== undefined) blob.size = 101 * MIB;
    return undefined;
  });
  await assertWrapRefused(wrap, ['DT_LIMIT_EXCEEDED'], { throughProgram: false });
});

test('an archive of a chart with other bytes is refused', async () => {
  const wrap = await forgeWrap('attached', (document, pieces) => {
    const path = document.blobs.find(({ digest }) => digest === document.charts[0]?.archive)?.path;
    return pieces.map((item) =>
      item.header.name === path ? { ...item, content: Buffer.from(item.content).fill(7, 20, 30) } : item,
    );
  });
  await assertWrapRefused(wrap, ['DT_DIGEST_MISMATCH'], { throughProgram: false });
});

test('a manifest of a chart that names a blob of an image is not pushed with it', async () => {
  const wrap = await forgeWrap('attached', (document, pieces) => {
    const layer = document.blobs.find(({ mediaType }) => mediaType.includes('layer'));
    return replaceBlob(document, pieces, document.charts[0]?.manifest ?? '', (manifest) => {
      const parsed = JSON.parse(manifest.toString()) as { layers: unknown[] };
      return Buffer.from(
        JSON.stringify({
          ...parsed,
          layers: [...parsed.layers, { mediaType: layer?.mediaType, digest: layer?.digest, size: layer?.size }],
        }),
      );
    });
  });
  await assertKeepRefused(wrap, 'DT_WRAP_INCOMPLETE');
});

test('a manifest of a chart that is the index of an image is refused', async () => {
  const wrap = await forgeWrap('attached', (document) => {
    Object.assign(document.charts[0] ?? {}, { manifest: document.images[0]?.digest });
    return undefined;
  });
  await assertKeepRefused(wrap, 'DT_WRAP_INCOMPLETE');
});
